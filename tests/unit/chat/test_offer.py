"""The tools of a turn: whose they are, which of them ask first, and which are left out."""

from typing import Any

import pytest
from agents import FunctionTool
from mcp.server.mcpserver import MCPServer
from mcp.types import Tool, ToolAnnotations

from durable_loop.chat.messages import ChatPolicy
from durable_loop.chat.offer import OfferedTool, offer
from durable_loop.chat.tools import local_tools
from durable_loop.testing.memory import InMemoryMCPServer
from tests.requirements import requirement

LOCAL = local_tools(ChatPolicy())


def listed(
    server: str, *names: str, annotations: ToolAnnotations | None = None
) -> tuple[InMemoryMCPServer, list[Tool]]:
    """Return a server and what it lists."""
    tools = [Tool(name=name, input_schema={"type": "object"}, annotations=annotations) for name in names]
    return InMemoryMCPServer(server, MCPServer(server)), tools


def one(annotations: ToolAnnotations | None) -> OfferedTool:
    """Return a tool with these hints."""
    return offer([], [listed("shop", "buy", annotations=annotations)])[0][0]


@requirement("mcp.one-owner")
def test_every_tool_has_one_owner() -> None:
    """A name that is taken is left out and told: the SDK would fail every turn of the chat. (ours)"""
    offered, notes = offer(LOCAL, [listed("a", "x", "calculator"), listed("b", "x", "y", "y")])

    assert [tool.full_name for tool in offered] == ["a.x", "b.y", "calculator", "weather"]
    assert notes == [
        "The tool calculator of a is left out: the chat has one of this name.",
        "The tool x of b is left out: a has one of this name.",
        "The tool y of b is left out: b has one of this name.",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [("rm -rf /\n", r"'rm -rf /\n'"), ("a.b", "'a.b'"), ("", "''"), ("x" * 65, f"'{'x' * 64} [… 1 of 65 char")],
    ids=["shell", "dot", "empty", "long"],
)
def test_a_name_that_providers_refuse_is_left_out(name: str, told: str) -> None:
    """They would refuse each request of the chat. (ours)"""
    offered, notes = offer([], [listed("a", name, "x" * 64, "X-1_")])

    assert [tool.tool.name for tool in offered] == ["x" * 64, "X-1_"]
    (note,) = notes
    assert note.startswith(f"The tool {told}")
    assert note.endswith(" of a is left out: no provider takes such a name.")


def test_a_server_cannot_fill_a_turn_with_notes() -> None:
    """A reader is told of some, and how many more there are. (ours)"""
    _, notes = offer([], [listed("a", *["x"] * 2_000)])

    assert notes[1:] == [*notes[1:8], "1,991 more tools are left out, for the same reasons."]


@pytest.mark.parametrize(
    ("hints", "approval", "asks"),
    [
        (None, "destructive", True),
        ({}, "destructive", True),
        ({"destructive_hint": True}, "destructive", True),
        ({"destructive_hint": False}, "destructive", False),
        ({"destructive_hint": False}, "writing", True),
        ({"read_only_hint": False, "destructive_hint": False}, "writing", True),
        ({"read_only_hint": True}, "destructive", False),
        ({"read_only_hint": True, "destructive_hint": True}, "writing", False),
        ({"read_only_hint": True}, "buy", True),
        ({"read_only_hint": True}, "shop.buy", True),
        ({"read_only_hint": True}, "buy.shop", False),
        (None, "sell", True),
        ({"destructive_hint": False}, "sell", False),
    ],
    ids=str,
)
@requirement("mcp.destructive-by-default")
def test_a_tool_is_what_its_hints_say_and_the_worst_where_they_say_nothing(
    hints: dict[str, Any] | None, approval: str, *, asks: bool
) -> None:
    """By the protocol's defaults: not read-only, destructive. (MCP: ToolAnnotations)"""
    tool = one(None if hints is None else ToolAnnotations(**hints))

    assert tool.asks_first([approval]) is asks
    assert tool.asks_first([]) is False


def test_the_chats_own_tools_only_read() -> None:
    """They are asked for by name alone. (ours)"""
    offered, _ = offer(LOCAL, [])

    assert not any(tool.asks_first(["writing", "destructive"]) for tool in offered)
    assert [tool.asks_first(["weather"]) for tool in offered] == [False, True]
    assert all(isinstance(tool.tool, FunctionTool) for tool in offered)
