"""What a stack consists of, decided before anything is started."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_loop.errors import TemporalBinaryNotFoundError
from durable_loop.settings import Settings
from durable_loop.stack import plan
from durable_loop.stack.binaries import WAYS_OUT, find_temporal
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.messages import (
    Operation,
    PartState,
    PartStatus,
    Request,
    StackState,
    StackStatus,
)
from durable_loop.stack.plan import StackPlan, make_plan
from tests.requirements import requirement

PARTS = ["orchestrator-worker", "finance-mcp", "it-mcp", "finance-worker", "it-worker"]
Planner = Callable[..., StackPlan]


@pytest.fixture(name="planned")
def _planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Planner:
    """Make plans on a machine where the ports in `taken` are taken."""
    program = tmp_path / "temporal"
    program.touch(mode=0o755)
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)

    def planned(*, taken: set[int], previous: StackState | None = None, **settings: object) -> StackPlan:
        def choose(*wanted: int) -> int:
            return next((port for port in wanted if port not in taken), 55555)

        chosen = Settings.model_validate({"temporal_cli": program, "data_dir": tmp_path, **settings})
        return make_plan(chosen, StackFolder(tmp_path), previous, choose=choose)

    return planned


@requirement("setup.ports")
def test_the_usual_ports_are_used_where_they_are_free(planned: Planner) -> None:
    """The seed's 7233, 8001 and 8002; the parts are told where everything is. (seed)"""
    made = planned(taken=set())

    assert made.temporal_address == "127.0.0.1:7233"
    assert [part.name for part in made.parts] == PARTS
    assert made.notes == ()
    assert made.environment == {
        "TEMPORAL_ADDRESS": "127.0.0.1:7233",
        "DURABLE_LOOP_FINANCE_MCP_URL": "http://127.0.0.1:8001/mcp",
        "DURABLE_LOOP_IT_MCP_URL": "http://127.0.0.1:8002/mcp",
        "DURABLE_LOOP_DEPLOYMENT": "",
        "DURABLE_LOOP_BUILD_ID": "",
    }
    assert made.server is not None
    assert "7233" in made.server.command


@requirement("setup.ports")
def test_other_ports_are_a_setting_and_0_is_any(planned: Planner) -> None:
    """Nothing is said of a port that nobody wished for. (ours)"""
    named = planned(taken=set(), temporal_port=7300, it_mcp_url="http://localhost:9002/somewhere")
    any_ = planned(taken={0}, temporal_port=0, finance_mcp_url="http://localhost:0/mcp")

    assert (named.temporal_address, named.it_mcp_url) == ("127.0.0.1:7300", "http://127.0.0.1:9002/mcp")
    assert named.temporal_ui_url == "http://127.0.0.1:8300"
    assert any_.temporal_address == "127.0.0.1:55555"
    assert (any_.temporal_ui_url, any_.finance_mcp_url) == ("http://127.0.0.1:55555", "http://127.0.0.1:55555/mcp")
    assert (named.notes, any_.notes) == ((), ())


def test_an_embedded_stack_has_no_builds_and_says_so(planned: Planner) -> None:
    """Its chats would wait for a rollout that nobody does. (ours)"""
    made = planned(taken=set(), deployment="agents", build_id="1")

    assert (made.environment["DURABLE_LOOP_DEPLOYMENT"], made.environment["DURABLE_LOOP_BUILD_ID"]) == ("", "")
    assert made.notes == (
        "DURABLE_LOOP_DEPLOYMENT is for workers that you start yourself: this stack upgrades in place.",
    )


def test_a_taken_port_is_replaced_and_said(planned: Planner) -> None:
    """Whatever listens there is left alone. (ours)"""
    made = planned(taken={7233, 8002})

    assert (made.temporal_address, made.it_mcp_url) == ("127.0.0.1:55555", "http://127.0.0.1:55555/mcp")
    assert made.notes == (
        "Port 7233 is taken by something else: the Temporal server uses 55555.",
        "Port 8002 is taken by something else: the it MCP server uses 55555.",
    )


@pytest.mark.parametrize(
    ("taken", "address"),
    [(set[int](), 8233), ({8233}, 55555), ({7233}, 56555)],
    ids=["the usual one", "another", "that of another server"],
)
def test_our_server_has_a_web_interface(planned: Planner, taken: set[int], address: int) -> None:
    """A thousand above its own port, as the dev server has it. (ours)"""
    made = planned(taken=taken)

    assert made.temporal_ui_url == f"http://127.0.0.1:{address}"
    assert made.server is not None
    assert made.server.command[made.server.command.index("--ui-port") + 1] == str(address)


def test_a_port_high_up_has_none_a_thousand_above(planned: Planner) -> None:
    """Then any will do, and nothing is said of that. (ours)"""
    made = planned(taken={7233, 0}, previous=previous_at(65000))

    assert (made.temporal_address, made.temporal_ui_url) == ("127.0.0.1:65000", "http://127.0.0.1:55555")
    assert made.notes == ("Port 7233 is taken by something else: the Temporal server uses 65000.",)


def previous_at(port: int) -> StackState:
    """Return a stack that died, with its server at this port."""
    return StackState(
        control_port=1,
        token="x",
        temporal_address=f"127.0.0.1:{port}",
        own_server=True,
        namespace="default",
        finance_mcp_url="http://127.0.0.1:8001/mcp",
        it_mcp_url="http://127.0.0.1:8002/mcp",
    )


def test_a_stack_that_died_is_followed_by_one_on_its_ports(planned: Planner) -> None:
    """Its clients know them. (ours)"""
    previous = StackState(
        control_port=1,
        token="x",
        temporal_address="127.0.0.1:7300",
        own_server=True,
        namespace="default",
        finance_mcp_url="http://127.0.0.1:8100/mcp",
        it_mcp_url="http://127.0.0.1:8200/mcp",
    )

    made = planned(taken=set(), previous=previous)

    assert (made.temporal_address, made.finance_mcp_url, made.it_mcp_url) == (
        previous.temporal_address,
        previous.finance_mcp_url,
        previous.it_mcp_url,
    )


@requirement("temporal.elsewhere")
def test_what_runs_elsewhere_is_not_started(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Temporal that the environment names, an MCP server that is not on this machine. (ours)"""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    made = planned(taken=set(), finance_mcp_url="https://tools.example/mcp")

    assert made.server is None
    assert made.temporal_address == "temporal.example:7233"
    assert made.finance_mcp_url == "https://tools.example/mcp"
    assert [part.name for part in made.parts] == [name for name in PARTS if name != "finance-mcp"]


def test_without_a_program_the_sdk_downloads_its_own_server(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last resort of the finder. (ours)"""

    def nothing(_configured: Path | None) -> None:
        return None

    monkeypatch.setattr(plan, "find_temporal", nothing)
    made = planned(taken=set())

    assert made.server is not None
    assert "durable_loop.stack.sdk_server" in made.server.command


def test_the_program_is_looked_for_in_settings_beside_python_and_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In this order. (ours)"""
    configured, beside, on_path = (tmp_path / name / "temporal" for name in ("configured", "beside", "path"))
    for program in (configured, beside, on_path):
        program.parent.mkdir()
        program.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(beside.parent / "python"))
    monkeypatch.setattr("sysconfig.get_path", str)
    monkeypatch.setenv("PATH", str(on_path.parent))

    assert find_temporal(configured) == configured
    assert find_temporal(None) == beside
    beside.unlink()
    assert find_temporal(None) == on_path
    on_path.unlink()
    assert find_temporal(None) is None
    with pytest.raises(TemporalBinaryNotFoundError, match="is not a program"):
        find_temporal(tmp_path / "nothing")


def test_the_message_of_last_resort_has_every_way_out() -> None:
    """Install it, name it, or use one elsewhere. (ours)"""
    for way in ("uv sync", "docs.temporal.io/cli", "DURABLE_LOOP_TEMPORAL_CLI=", "TEMPORAL_ADDRESS="):
        assert way in WAYS_OUT


def test_only_who_knows_the_token_is_obeyed() -> None:
    """And the token travels on the wire, but is in no representation. (ours)"""
    request = Request.model_validate({"token": "secret", "operation": "down"})

    assert request.allowed("secret")
    assert not request.allowed("secre")
    assert "secret" not in repr(request)
    assert Request.model_validate_json(request.model_dump_json()).operation is Operation.DOWN
    assert Request.model_validate_json(request.model_dump_json()).allowed("secret")


def test_a_stack_is_ready_when_every_part_is() -> None:
    """None at all is not ready. (ours)"""

    def status(*states: PartState) -> StackStatus:
        return StackStatus(parts=tuple(PartStatus(name="x", state=state, log=Path()) for state in states))

    assert not status().ready
    assert not status(PartState.READY, PartState.STARTING).ready
    assert status(PartState.READY, PartState.READY).ready


def test_a_state_file_that_is_not_whole_is_no_state(tmp_path: Path) -> None:
    """A full disk, an editor, an older version. (ours)"""
    path = tmp_path / "stack.json"
    assert StackState.read(path) is None
    path.write_text('{"control_port": 1')
    assert StackState.read(path) is None
