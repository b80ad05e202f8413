"""What the documentation has users paste works as it is written."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from durable_loop.testing import (
    Environment,
    Script,
    call,
    calls,
    delays,
    fails,
    fails_mid_stream,
    floods,
    garbles,
    hands_off_to,
    loops,
    says,
    streams,
)
from tests.requirements import requirement

ROOT = Path(__file__).parents[2]
TOOLS = {
    "finance": ("stock_price", {"ticker": "AAPL"}, "185.50"),
    "it": ("set_jira_project", {"project": "DEMO-123"}, "DEMO-123"),
}


def block(language: str) -> str:
    """Return the block of docs/mcp-clients.md in a language, with this checkout's path."""
    text = (ROOT / "docs" / "mcp-clients.md").read_text()
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1).replace("/path/to/durable-loop", str(ROOT))


def claude_desktop(name: str) -> tuple[str, list[str]]:
    """Return command and arguments of a server in the Claude Desktop configuration."""
    server = json.loads(block("json"))["mcpServers"][name]
    return server["command"], server["args"]


def goose(name: str) -> tuple[str, list[str]]:
    """Return command and arguments of a server in the Goose configuration."""
    extension = yaml.safe_load(block("yaml"))["extensions"][name]
    assert extension["type"] == "stdio"
    return extension["cmd"], extension["args"]


def blocks(path: str) -> list[str]:
    """Return the Python blocks of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)


@requirement("harness.docs")
async def test_the_readmes_test_passes_as_it_is_written() -> None:
    """What a newcomer copies works. (ours)"""
    (block,) = blocks("README.md")
    module: dict[str, Any] = {}
    exec(block, module)  # noqa: S102 - our own page

    await module["test_a_stock_price_reaches_the_user"]()


@requirement("harness.docs")
async def test_the_blocks_of_the_testing_page_run(env: Environment, tmp_path: Path) -> None:
    """One defines a script, one talks to two agents, one is asked, one kills a worker, one the server. (ours)"""
    module: dict[str, Any] = {}
    script, *others = blocks("docs/testing.md")
    for block in (script, *others):
        exec(block, module)  # noqa: S102 - our own page
        if block == script:
            assert len(module["script"].steps) == 13

    await module["talk"]()
    await module["the_day_after"](env)
    await module["asked_first"](env)
    await module["killed_in_mid_model_call"](env, tmp_path)
    await module["server_killed_in_mid_model_call"](tmp_path / "fleet", "chat-of-the-docs")


@requirement("harness.docs")
def test_what_the_testing_page_shows_of_the_example_stands_in_it() -> None:
    """The walk through a foreign agent, word by word; and the script in YAML is one. (ours)"""
    page = (ROOT / "docs" / "testing.md").read_text()
    example = (ROOT / "examples" / "trip_planner" / "test_trip_planner.py").read_text()
    settings = (ROOT / "examples" / "trip_planner" / "pyproject.toml").read_text()

    shown = [dedent(block).strip() for block in re.findall(r"```py\n(.*?)```", page, re.DOTALL)]
    assert len(shown) == 3
    for block in shown:
        assert block in example
    (table,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert table == settings
    assert len(example.splitlines()) <= 40


def test_the_script_in_yaml_is_one(tmp_path: Path) -> None:
    """As a person writes it, with every kind of step. (ours)"""
    (written,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)
    (tmp_path / "script.yaml").write_text(written)

    assert Script.read(tmp_path / "script.yaml").steps == (
        calls("stock_price", ticker="AAPL"),
        calls(call("calculator", expression="2+2"), call("track_ip")),
        hands_off_to("Refund agent"),
        says("AAPL is at 185.50."),
        delays(2.5),
        fails("overloaded", attempts=2),
        says("Here I am again."),
        streams("Hel", "lo."),
        fails_mid_stream("connection lost", after="Hel", attempts=1),
        says("Hello."),
        garbles("calculator", '{"expression": '),
        loops("track_ip"),
        floods(100_000),
        fails("no such model"),
    )


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("configuration", [claude_desktop, goose])
@requirement("mcp.clients")
async def test_the_pasteable_configuration_starts_servers_whose_tools_work(
    env: Environment, name: str, configuration: Callable[[str], tuple[str, list[str]]]
) -> None:
    """The command is started as the client would start it; its tools are listed and called. (seed)"""
    command, arguments = configuration(name)
    assert shutil.which(command) is not None
    server = StdioServerParameters(command=command, args=arguments, env={**os.environ, "TEMPORAL_ADDRESS": env.address})
    tool, values, expected = TOOLS[name]

    async with await env.finance_worker(), await env.it_worker(), Client(stdio_client(server)) as client:
        assert tool in [listed.name for listed in (await client.list_tools()).tools]
        result = await client.call_tool(tool, values)

    assert not result.is_error
    assert expected in str(result.content)
