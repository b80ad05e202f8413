"""Where a chat is to be seen in Temporal's web interface."""

import pytest

from durable_loop.cli.web_interface import web_interface
from durable_loop.settings import Settings
from durable_loop.stack.messages import StackState


def stack(*, own_server: bool) -> StackState:
    """Return a stack, with a server of its own or with one elsewhere."""
    return StackState(
        control_port=1,
        token="",
        temporal_address="127.0.0.1:7300",
        temporal_ui_url="http://127.0.0.1:8300" if own_server else None,
        own_server=own_server,
        namespace="default",
        finance_mcp_url="",
        it_mcp_url="",
    )


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", "http://localhost:8233"),
        ("127.0.0.1:7233", "http://localhost:8233"),
        ("me.abc12.tmprl.cloud:7233", "https://cloud.temporal.io"),
        ("eu-west-1.aws.api.temporal.io:7233", "https://cloud.temporal.io"),
        ("tmprl.cloud.example:7233", None),
        ("temporal.example:7233", None),
    ],
)
def test_it_is_where_it_usually_is(address: str, found: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a server that nobody knows nothing is guessed. (ours)"""
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    if not address:
        monkeypatch.delenv("TEMPORAL_ADDRESS")

    assert web_interface(Settings(), None) == found


def test_a_stack_knows_its_own_and_a_setting_goes_before_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose server is elsewhere says nothing of it. (ours)"""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")

    assert web_interface(Settings(), stack(own_server=True)) == "http://127.0.0.1:8300"
    assert web_interface(Settings(), stack(own_server=False)) is None
    chosen = Settings(temporal_ui="https://temporal.example/")
    assert web_interface(chosen, stack(own_server=True)) == "https://temporal.example"
