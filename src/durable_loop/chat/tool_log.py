"""What a turn did: the tools that it ran (the next turn is told when this one fails), the tokens that it took."""

from typing import Any, cast

from agents import Agent, ModelResponse, RunContextWrapper, RunHooks, Tool
from agents.tool_context import ToolContext

from durable_loop.chat.messages import ToolCall

__all__ = ["ToolLog"]

# Of the arguments and of the result, each: a model or a server wrote them.
MAX_CHARS = 200


class ToolLog(RunHooks[None]):
    """Notes each tool call when it starts and completes the note when it ends."""

    def __init__(self) -> None:
        self._calls: dict[str, str] = {}
        self._seen: dict[str, ToolCall] = {}
        # Of all model calls so far.
        self.tokens = 0

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls that were made, in the order in which they began."""
        return tuple(self._seen.values())

    @property
    def lines(self) -> list[str]:
        """One line a call, in the order in which they started."""
        return list(self._calls.values())

    def started(self, context: RunContextWrapper[Any], tool: Tool) -> None:
        """Note that a call is made: if this is the last that is heard of it, its effect is unknown."""
        self._calls[_key(context, tool)] = f"{_call(context, tool)} was started, its result is unknown"
        arguments = context.tool_arguments[:MAX_CHARS] if isinstance(context, ToolContext) else ""
        self._seen[_key(context, tool)] = ToolCall(tool=tool.name, arguments=arguments, is_over=False)

    def asked(self, context: RunContextWrapper[Any], tool: Tool) -> None:
        """Note that the user is asked about a call: if this is the last that is heard of it, it was not made."""
        self._calls[_key(context, tool)] = f"{_call(context, tool)} was not run, the user had not allowed it"

    async def on_llm_end(
        self,
        context: RunContextWrapper[Any],  # noqa: ARG002 - the SDK's signature
        agent: Agent[Any],  # noqa: ARG002 - as above
        response: ModelResponse,
    ) -> None:
        """Count what a model call took."""
        self.tokens += response.usage.total_tokens

    async def on_tool_start(
        self,
        context: RunContextWrapper[None],
        agent: Agent[None],  # noqa: ARG002 - the SDK's signature
        tool: Tool,
    ) -> None:
        """Note that the call began."""
        self.started(context, tool)

    async def on_tool_end(
        self,
        context: RunContextWrapper[None],
        agent: Agent[None],  # noqa: ARG002 - the SDK's signature
        tool: Tool,
        result: object,
    ) -> None:
        """Note what came of the call."""
        self._calls[_key(context, tool)] = f"{_call(context, tool)} gave: {_text(result)}"
        if (seen := self._seen.get(_key(context, tool))) is not None:
            self._seen[_key(context, tool)] = seen.model_copy(update={"is_over": True})


def _text(result: object) -> str:
    if not isinstance(result, dict):
        return str(result)[:MAX_CHARS]
    # An MCP tool's result is {"type": "text", "text": …}, a local tool's is a string.
    content = cast("dict[str, object]", result)
    return str(content.get("text", content))[:MAX_CHARS]


def _key(context: RunContextWrapper[Any], tool: Tool) -> str:
    return context.tool_call_id if isinstance(context, ToolContext) else tool.name


def _call(context: RunContextWrapper[Any], tool: Tool) -> str:
    return f"{tool.name}({context.tool_arguments[:MAX_CHARS]})" if isinstance(context, ToolContext) else tool.name
