"""What models and tools give back has a bound, and what is too much is cut visibly or refused."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from agents import ModelResponse, Usage
from agents.testing import assistant_message, function_call
from mcp.types import SERVER_INFO_META_KEY, CallToolResult, ImageContent, ListToolsResult, TextContent, Tool
from temporalio import activity
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError, FailureError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from durable_loop.chat.bounds import (
    MAX_CALLS_AT_ONCE,
    MAX_ERROR_BYTES,
    MAX_RESPONSE_BYTES,
    MAX_TOOL_LIST_BYTES,
    BoundsInterceptor,
)
from tests.requirements import requirement

MOST = 2_000


class _Activity(ActivityInboundInterceptor):
    def __init__(self, result: object) -> None:
        self._result = result

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ARG002 - the SDK's signature
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result


async def bounded(result: object, *, activity_type: str = "invoke_model_activity") -> Any:
    """Return what the interceptor makes of an activity's result, or of the error that it raises."""
    chain = BoundsInterceptor(max_tool_output=MOST).intercept_activity(_Activity(result))

    @activity.defn
    async def run() -> Any:
        return await chain.execute_activity(ExecuteActivityInput(fn=run, args=[], executor=None, headers={}))

    environment = ActivityEnvironment()
    environment.info = replace(environment.info, activity_type=activity_type)
    return await environment.run(run)


async def bounded_call(result: CallToolResult) -> Any:
    """Return what is made of the result of an MCP call, which its activity returns as plain JSON."""
    dumped = await bounded(result.model_dump(mode="json"), activity_type="temporalio.mcp.it.call-tool")
    return CallToolResult.model_validate(dumped)


def text_result(text: str) -> CallToolResult:
    """Return the result of a tool that says `text` and the same as data."""
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content={"text": text})


async def test_a_result_that_fits_is_the_tools_own() -> None:
    """Nothing is touched without need, the data included. (ours)"""
    result = text_result("x" * 500)

    assert await bounded_call(result) == result


@pytest.mark.parametrize("character", ["x", "ü", "\0", '"'], ids=["plain", "two bytes", "six in JSON", "two in JSON"])
@requirement("durability.cut-visibly")
async def test_a_long_result_is_cut_to_its_bytes_and_says_so(character: str) -> None:
    """The bound is on what lands in the history. (ours)"""
    cut = await bounded_call(text_result(character * 3_000_000))

    assert len(cut.model_dump_json().encode()) <= MOST
    assert cut.structured_content is None
    assert cut.content[0].text.startswith(character * 100)
    assert cut.content[0].text.endswith("of 3,000,000 characters left out]")


async def test_an_error_stays_an_error_when_it_is_cut() -> None:
    """The model still learns that the call failed. (ours)"""
    cut = await bounded_call(text_result("x" * 10_000).model_copy(update={"is_error": True}))

    assert cut.is_error


async def test_what_is_no_text_is_named_instead() -> None:
    """An image of a megabyte is a line. (ours)"""
    image = ImageContent(type="image", data="A" * 1_000_000, mime_type="image/png")
    result = CallToolResult(content=[TextContent(type="text", text="Here:"), image])

    cut = await bounded_call(result)

    assert cut.content[0].text.startswith("Here:\n[image of 1,000,0")
    assert cut.content[0].text.endswith(" bytes left out]")


async def test_a_list_of_tools_without_measure_is_refused() -> None:
    """Its server is left out of the turn; no retry makes it smaller. (ours)"""
    tool = Tool(name="big", description="x" * MAX_TOOL_LIST_BYTES, input_schema={"type": "object"})

    with pytest.raises(ApplicationError, match="its list of tools has 400,") as refused:
        await bounded(
            ListToolsResult(tools=[tool]).model_dump(mode="json"), activity_type="temporalio.mcp.it.list-tools"
        )
    assert refused.value.non_retryable


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (lambda: [assistant_message("x" * MAX_RESPONSE_BYTES)], "its answer has 400,"),
        (lambda: [function_call("look", {"a": "x" * MAX_RESPONSE_BYTES}, call_id="1")], "its answer has 400,"),
        (
            lambda: [function_call("look", {}, call_id=str(n)) for n in range(MAX_CALLS_AT_ONCE + 1)],
            "it asked for 33 tools at once",
        ),
    ],
    ids=["text", "arguments", "calls"],
)
async def test_an_answer_of_the_model_without_measure_is_refused(output: Callable[[], list[Any]], reason: str) -> None:
    """It would not fit into the payloads that come after it; the same question gives the same answer. (ours)"""
    with pytest.raises(ApplicationError, match=reason) as refused:
        await bounded(ModelResponse(output=output(), usage=Usage(), response_id=None))
    assert refused.value.non_retryable


async def test_an_ordinary_answer_passes() -> None:
    """Many calls and long texts are fine. (ours)"""
    calls = [function_call("look", {}, call_id=str(number)) for number in range(MAX_CALLS_AT_ONCE)]
    response = ModelResponse(output=[assistant_message("x" * 100_000), *calls], usage=Usage(), response_id=None)

    assert await bounded(response) is response


def caused(error: Exception, *, by: Exception) -> Exception:
    """Return the error with its cause."""
    error.__cause__ = by
    return error


def met(error: Exception, *, handling: Exception) -> Exception:
    """Return the error as one that came up where another was handled."""
    error.__context__ = handling
    return error


def traced(error: Exception) -> Exception:
    """Return the error with a long way behind it."""

    def ping(left: int) -> None:
        if not left:
            raise error
        pong(left - 1)

    def pong(left: int) -> None:
        ping(left)

    with pytest.raises(type(error)):
        ping(200)
    return error


def encoded(error: BaseException) -> Failure:
    """Return what the history gets of an error."""
    failure = Failure()
    pydantic_data_converter.failure_converter.to_failure(error, pydantic_data_converter.payload_converter, failure)
    return failure


def received(error: Exception) -> BaseException:
    """Return the error as it arrives from another workflow."""
    return pydantic_data_converter.failure_converter.from_failure(
        encoded(error), pydantic_data_converter.payload_converter
    )


@pytest.mark.parametrize(
    "error",
    [
        ApplicationError("x" * 3_000_000),
        ApplicationError("x", {"data": "x" * 3_000_000}),
        RuntimeError("x" * 3_000_000),
        caused(ApplicationError("x"), by=RuntimeError("y" * 3_000_000)),
        caused(RuntimeError("x"), by=caused(RuntimeError("y"), by=ApplicationError("z", "z" * 3_000_000))),
        met(ApplicationError("x"), handling=RuntimeError("y" * 3_000_000)),
        traced(RuntimeError("x")),
        received(ApplicationError("x" * 3_000_000)),
        CancelledError("x" * 3_000_000),
    ],
    ids=[
        "message",
        "details",
        "message of another kind",
        "cause",
        "cause of a cause",
        "error met on the way",
        "stack trace",
        "from another workflow",
        "cancelled",
    ],
)
async def test_an_error_without_measure_is_cut(error: Exception) -> None:
    """What lands in the history is small; the text stays, and so does its kind. (ours)"""
    assert encoded(error).ByteSize() > MAX_ERROR_BYTES

    with pytest.raises(FailureError) as cut:
        await bounded(error)

    failure = encoded(cut.value)
    assert failure.ByteSize() < MAX_ERROR_BYTES / 2
    assert failure.message.startswith("x")
    assert (failure.message != "x") == failure.message.endswith("characters left out]")
    assert failure.WhichOneof("failure_info") == encoded(error).WhichOneof("failure_info")
    assert failure.application_failure_info.type == encoded(error).application_failure_info.type


async def test_a_cut_error_says_whether_and_when_to_try_again() -> None:
    """Temporal does as the activity said. (ours)"""
    error = ApplicationError(
        "x" * 3_000_000,
        type="MCPProtocolError",
        non_retryable=True,
        next_retry_delay=timedelta(seconds=7),
        category=ApplicationErrorCategory.BENIGN,
    )

    with pytest.raises(ApplicationError) as cut:
        await bounded(error)

    assert (cut.value.type, cut.value.non_retryable) == ("MCPProtocolError", True)
    assert (cut.value.next_retry_delay, cut.value.category) == (timedelta(seconds=7), ApplicationErrorCategory.BENIGN)


@pytest.mark.parametrize(
    "error",
    [ApplicationError("No.", 17), caused(KeyError("x"), by=OSError("y")), asyncio.CancelledError("x" * 3_000_000)],
    ids=["with details", "with a cause", "a cancelled task"],
)
async def test_an_ordinary_error_is_the_activitys_own(error: BaseException) -> None:
    """With all that hangs on it. (ours)"""
    with pytest.raises(type(error)) as raised:
        await bounded(error)
    assert raised.value is error


async def test_an_activity_may_be_completed_by_somebody_else() -> None:
    """What an activity raises for that is no error. (Temporal)"""
    with pytest.raises(BaseException) as raised:
        activity.raise_complete_async()
    leaves = raised.value

    with pytest.raises(type(leaves)) as raised:
        await bounded(leaves)
    assert raised.value is leaves


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("no JSON: 2 problems\nin field 7\nin field 8", "no JSON: 2 problems"),
        ("x" * 3_000_000, "x" * 1_000 + " [… 2,999,000 of 3,000,000 characters left out]"),
        ("", "ValueError"),
    ],
    ids=["lines", "long", "none"],
)
async def test_of_a_group_of_errors_the_first_is_told(reason: str, told: str) -> None:
    """An MCP client fails in groups of one, and a group gives no reason. (ours)"""
    group = ExceptionGroup("in a TaskGroup", [ExceptionGroup("in another", [ValueError(reason)])])

    with pytest.raises(ApplicationError) as raised:
        await bounded(group)
    assert (raised.value.message, raised.value.type, raised.value.non_retryable) == (told, "ValueError", False)


async def test_what_a_server_says_of_itself_is_left_out_of_its_replies() -> None:
    """With its next version a chat would have another history; what else is said beside a reply stays. (ours)"""
    about = {SERVER_INFO_META_KEY: {"name": "finance", "version": "2.0"}}
    reply = CallToolResult(content=[TextContent(type="text", text="yes")], _meta={**about, "trace": "1"})

    assert (await bounded_call(reply)).meta == {"trace": "1"}
    assert (await bounded_call(reply.model_copy(update={"meta": about}))).meta is None
