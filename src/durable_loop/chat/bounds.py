"""What models and tools give back, bounded before it enters a history: data from outside, of any size.

A payload may have 2 MB and a history 50 MB; past that the server fails workflow tasks for ever, or
ends the chat. So a tool's result is cut, visibly, an answer of the model that is too large fails its call,
and an error says no more than a reader needs.
"""

from typing import Any, Final, cast

import pydantic_core
from agents import ModelResponse
from mcp.types import SERVER_INFO_META_KEY, CallToolResult, ContentBlock, TextContent
from temporalio import activity
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from durable_loop.boundary import as_application_error
from durable_loop.chat.compaction import shortened
from durable_loop.errors import ModelRefusedError, ToolInputError

__all__ = ["MAX_CALLS_AT_ONCE", "MAX_RESPONSE_BYTES", "MAX_TOOL_LIST_BYTES", "BoundsInterceptor"]

# Of a model's answer, its tool calls with their arguments included; a long answer has 20,000.
MAX_RESPONSE_BYTES: Final = 400_000
MAX_CALLS_AT_ONCE: Final = 32
# Of all tools of one server with their schemas; our eight have 10,000.
MAX_TOOL_LIST_BYTES: Final = 400_000
# Of an error as a history holds it, its causes and their stack traces included; an ordinary one has 6,000. What
# a server or a provider says may be in it. Past the first, that many characters of it stay.
MAX_ERROR_BYTES: Final = 20_000
MAX_ERROR_CHARS: Final = 1_000

_FAILURES: Final = DefaultFailureConverter()


class BoundsInterceptor(Interceptor):
    """Bounds what the orchestrator's activities return and raise; a tool's result gets `max_tool_output` bytes."""

    def __init__(self, *, max_tool_output: int) -> None:
        self._max_tool_output = max_tool_output

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's signature
        """Wrap the activity."""
        return _Bounds(next, self._max_tool_output)


class _Bounds(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, max_tool_output: int) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._max_tool_output = max_tool_output

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's signature
        try:
            result = await super().execute_activity(input)
        except ExceptionGroup as group:
            # An MCP client works in task groups, which say no more than that something went wrong in them.
            raise _first(group) from None
        except Exception as error:
            failure = Failure()
            _FAILURES.to_failure(error, activity.payload_converter(), failure)
            if failure.ByteSize() <= MAX_ERROR_BYTES:
                raise
            raise _cut_error(failure) from None
        # What the MCP activities return is plain JSON already.
        match activity.info().activity_type.rpartition(".")[2]:
            case "call-tool":
                result = _without_server(result)
                if _size(result) > self._max_tool_output:
                    return _cut(CallToolResult.model_validate(result), self._max_tool_output).model_dump(mode="json")
            case "list-tools":
                _check_tools(result)
            case _ if isinstance(result, ModelResponse):
                _check_response(result)
            case _:
                pass
        return result


def _cut_error(failure: Failure) -> BaseException:
    """Return what stays of an error: its kind, whether and when it is worth a retry, and the essence of its text."""
    failure.message = shortened(failure.message, MAX_ERROR_CHARS)
    failure.stack_trace = failure.stack_trace[-MAX_ERROR_CHARS:]
    failure.ClearField("cause")
    if failure.HasField("application_failure_info"):
        failure.application_failure_info.ClearField("details")
    return _FAILURES.from_failure(failure, activity.payload_converter())


def _first(error: Exception) -> ApplicationError:
    if isinstance(error, ExceptionGroup):
        return _first(cast("ExceptionGroup[Exception]", error).exceptions[0])
    kind = type(error).__name__
    # Further lines say what was wrong with each field of a message, to a programmer.
    reason, *_ = str(error).splitlines() or [kind]
    return ApplicationError(shortened(reason, MAX_ERROR_CHARS), type=kind)


def _without_server(result: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a server says of itself with each reply: a release of it would make another history of a chat."""
    meta = dict(cast("dict[str, Any]", result.get("meta") or {}))
    meta.pop(SERVER_INFO_META_KEY, None)
    return {**result, "meta": meta or None}


def _cut(result: CallToolResult, most: int) -> CallToolResult:
    # The data says again what the text says; the model reads the text.
    text = "\n".join(_text(block) for block in result.content)
    chars = most
    while True:
        content = TextContent(type="text", text=shortened(text, chars))
        cut = result.model_copy(update={"content": [content], "structured_content": None, "meta": None})
        # JSON may need six bytes for a character.
        if _size(cut) <= most or chars == 0:
            return cut
        chars = chars // 2


def _text(block: ContentBlock) -> str:
    return block.text if isinstance(block, TextContent) else f"[{block.type} of {_size(block):,} bytes left out]"


def _check_tools(listed: object) -> None:
    if (size := _size(listed)) > MAX_TOOL_LIST_BYTES:
        error = ToolInputError(f"its list of tools has {size:,} bytes, and at most {MAX_TOOL_LIST_BYTES:,} are taken")
        raise as_application_error(error)


def _check_response(response: ModelResponse) -> None:
    if (size := _size(response.output)) > MAX_RESPONSE_BYTES:
        error = ModelRefusedError(f"its answer has {size:,} bytes, and at most {MAX_RESPONSE_BYTES:,} are taken")
        raise as_application_error(error)
    calls = sum(item.type.endswith("_call") for item in response.output)
    if calls > MAX_CALLS_AT_ONCE:
        error = ModelRefusedError(f"it asked for {calls} tools at once, and at most {MAX_CALLS_AT_ONCE} calls are made")
        raise as_application_error(error)


def _size(value: object) -> int:
    return len(pydantic_core.to_json(pydantic_core.to_jsonable_python(value, serialize_unknown=True)))
