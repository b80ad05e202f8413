"""The tools of one turn: the chat's own and those that MCP servers list, each name once; some ask the user first."""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from agents import FunctionTool
from agents.mcp import MCPServer, MCPUtil
from agents.tool_context import ToolContext
from mcp.types import Tool, ToolAnnotations

from durable_loop import names
from durable_loop.chat.compaction import shortened
from durable_loop.chat.messages import ListedTool
from durable_loop.chat.tool_log import ToolLog

__all__ = ["Approve", "OfferedTool", "offer", "unknown_names"]

# Takes a tool and the arguments of a call; returns why the call may not be made, or None.
Approve = Callable[[str, str], Awaitable[str | None]]
# A provider refuses a request that has a tool of another name.
NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# Of a name that is none, and of the notes of one turn: a server may list thousands.
NAME_CHARS: Final = 64
# Of what a tool says of itself, for people.
ABOUT_CHARS: Final = 300
MAX_NOTES: Final = 8


@dataclass(frozen=True)
class OfferedTool:
    """A tool that the model is told of, and what a call of it may do."""

    tool: FunctionTool
    # What people know it by: `finance.stock_price`, or the mere name of a local tool.
    full_name: str
    writes: bool
    destroys: bool

    def asks_first(self, approval: Collection[str]) -> bool:
        """Whether the user is asked before it is called; `approval` is that of a `ChatPolicy`."""
        return (
            # A slip in a name must not ask for less than nothing said would.
            (self.destroys and bool(approval))
            or (self.writes and names.APPROVAL_WRITING in approval)
            or self.tool.name in approval
            or self.full_name in approval
        )

    def listed(self, approval: Collection[str]) -> ListedTool:
        """Return what people want to know of it."""
        about = " ".join(self.tool.description.split())
        return ListedTool(
            name=self.full_name,
            about=shortened(about, ABOUT_CHARS),
            writes=self.writes,
            destroys=self.destroys,
            asks_first=self.asks_first(approval),
        )

    def asking(self, approve: Approve, log: ToolLog) -> FunctionTool:
        """Return the tool as one whose calls wait to be approved; the model is told where they are not."""

        async def invoke(context: ToolContext[Any], arguments: str) -> Any:
            log.asked(context, self.tool)
            refusal = await approve(self.full_name, arguments)
            if refusal is not None:
                return f"{self.tool.name} was not run: {refusal}"
            log.started(context, self.tool)
            return await self.tool.on_invoke_tool(context, arguments)

        return replace(self.tool, on_invoke_tool=invoke)


def offer(
    local: Sequence[FunctionTool], listed: Iterable[tuple[MCPServer, Sequence[Tool]]]
) -> tuple[list[OfferedTool], list[str]]:
    """Return what there is to call, and notes on what is left out: its name is taken, or none that providers take."""
    of = {tool.name: "the chat" for tool in local}
    tools: list[OfferedTool] = []
    notes: list[str] = []
    for server, theirs in listed:
        for tool in theirs:
            if not NAME.fullmatch(tool.name):
                odd = repr(shortened(tool.name, NAME_CHARS))
                notes.append(f"The tool {odd} of {server.name} is left out: no provider takes such a name.")
                continue
            if tool.name in of:
                notes.append(
                    f"The tool {tool.name} of {server.name} is left out: {of[tool.name]} has one of this name."
                )
                continue
            of[tool.name] = server.name
            tools.append(_of_server(tool, server))
    tools += [OfferedTool(tool, tool.name, writes=False, destroys=False) for tool in local]
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"{len(notes) - MAX_NOTES:,} more tools are left out, for the same reasons."]
    return tools, notes


def unknown_names(approval: Iterable[str], offered: Sequence[OfferedTool]) -> list[str]:
    """Return a note on each name in `approval` that no tool has: a slip there would ask for nothing, in silence."""
    tools = (name for each in offered for name in (each.tool.name, each.full_name))
    known = {names.APPROVAL_DESTRUCTIVE, names.APPROVAL_WRITING, *tools}
    return [f"No tool is named {name!r}, which should be asked about first." for name in approval if name not in known]


def _of_server(tool: Tool, server: MCPServer) -> OfferedTool:
    # What a tool does not say is taken for the worst, as the protocol has it.
    hints = tool.annotations or ToolAnnotations()
    writes = hints.read_only_hint is not True
    return OfferedTool(
        MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=False),
        f"{server.name}.{tool.name}",
        writes=writes,
        destroys=writes and hints.destructive_hint is not False,
    )
