"""What models and tools give back has a bound, and what is too much is cut visibly or refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from agents import ModelResponse, Usage
from agents.testing import assistant_message, function_call
from mcp.types import CallToolResult, ImageContent, ListToolsResult, TextContent, Tool
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from durable_loop.chat.bounds import MAX_CALLS_AT_ONCE, MAX_RESPONSE_BYTES, MAX_TOOL_LIST_BYTES, BoundsInterceptor

MOST = 2_000


class _Activity(ActivityInboundInterceptor):
    def __init__(self, result: object) -> None:
        self._result = result

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ARG002 - the SDK's signature
        if isinstance(self._result, Exception):
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


@pytest.mark.parametrize(
    "error",
    [
        ApplicationError("x" * 3_000_000, type="MCPProtocolError", non_retryable=True),
        ApplicationError("x", {"data": "x" * 3_000_000}, type="MCPProtocolError", non_retryable=True),
    ],
    ids=["message", "details"],
)
async def test_an_error_without_measure_is_cut(error: ApplicationError) -> None:
    """What kind it is, and whether a retry helps, stay. (ours)"""
    with pytest.raises(ApplicationError, match="x") as cut:
        await bounded(error)

    assert len(cut.value.message) < 1_100
    assert cut.value.details == ()
    assert (cut.value.type, cut.value.non_retryable) == ("MCPProtocolError", True)


async def test_an_ordinary_error_is_the_activitys_own() -> None:
    """With its details. (ours)"""
    error = ApplicationError("No.", 17)

    with pytest.raises(ApplicationError) as raised:
        await bounded(error)
    assert raised.value is error
