"""What a model reads before it calls a tool."""

from datetime import timedelta

import pytest
from mcp.server.mcpserver import MCPServer
from mcp_types import Tool
from temporalio.client import Client

from durable_loop.services.finance.server import finance_server
from durable_loop.services.it.server import it_server
from tests.requirements import requirement

FINANCE_TOOLS = ["stock_price", "calculate_roi"]
IT_TOOLS = ["set_jira_project", "get_jira_metrics", "track_ip", "get_ip_history"]
ALL_TOOLS = FINANCE_TOOLS + IT_TOOLS


async def servers() -> tuple[MCPServer, MCPServer]:
    client = await Client.connect("localhost:1", lazy=True)
    timeout = timedelta(seconds=1)
    return finance_server(client, backing_timeout=timeout), it_server(client, session="a", backing_timeout=timeout)


@pytest.fixture
async def tools() -> dict[str, Tool]:
    return {tool.name: tool for server in await servers() for tool in await server.list_tools()}


async def test_each_server_has_its_tools() -> None:
    """The seed's six, in its words (seed)."""
    finance, it = await servers()

    assert [tool.name for tool in await finance.list_tools()] == FINANCE_TOOLS
    assert [tool.name for tool in await it.list_tools()] == IT_TOOLS


@pytest.mark.parametrize("name", ALL_TOOLS)
@requirement("mcp.hints")
async def test_every_hint_is_set_and_nothing_is_destructive(tools: dict[str, Tool], name: str) -> None:
    """A hint left out means destructive and open to the world (spec)."""
    annotations = tools[name].annotations

    assert annotations is not None
    assert None not in annotations.model_dump().values()
    assert annotations.destructive_hint is False
    assert tools[name].title == annotations.title


@pytest.mark.parametrize("name", ALL_TOOLS)
@requirement("mcp.structured")
async def test_every_argument_and_every_result_is_described(tools: dict[str, Tool], name: str) -> None:
    """A model fills arguments from their descriptions, and is shown an example of each (spec)."""
    tool = tools[name]

    assert tool.description
    assert tool.output_schema is not None
    for argument in tool.input_schema["properties"].values():
        assert argument["description"].endswith(".")
        assert argument["examples"]
    for field in tool.output_schema["properties"].values():
        assert field["description"]


@requirement("mcp.hints")
async def test_only_what_changes_the_session_is_not_read_only(tools: dict[str, Tool]) -> None:
    """Setting a project twice is setting it once; tracking twice is not (ours)."""
    hints = {name: tool.annotations for name, tool in tools.items() if tool.annotations is not None}

    assert {name for name, hint in hints.items() if not hint.read_only_hint} == {"set_jira_project", "track_ip"}
    assert {name for name, hint in hints.items() if not hint.idempotent_hint} == {"track_ip"}


async def test_the_rate_is_said_to_be_in_percent(tools: dict[str, Tool]) -> None:
    """5 or 0.05 is the mistake that this tool invites (spec)."""
    rate = tools["calculate_roi"].input_schema["properties"]["rate"]

    assert rate["description"] == "The interest rate in percent per year: 5 means 5%, not 0.05."


@pytest.mark.parametrize("name", ALL_TOOLS)
@requirement("security.other-chats")
async def test_no_argument_names_a_session(tools: dict[str, Tool], name: str) -> None:
    """A model that could choose the session could read another chat's (ours)."""
    assert not any("session" in argument for argument in tools[name].input_schema["properties"])
