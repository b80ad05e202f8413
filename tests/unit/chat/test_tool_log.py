"""What a failed turn tells of the tools that it ran."""

from typing import Any, cast

import pytest
from agents import Agent, FunctionTool, RunContextWrapper
from agents.tool_context import ToolContext

from durable_loop.chat.messages import ChatPolicy
from durable_loop.chat.tool_log import ToolLog
from durable_loop.chat.tools import local_tools
from tests.requirements import requirement

CALCULATOR: FunctionTool = local_tools(ChatPolicy())[0]
AGENT: Agent[None] = Agent(name="x")


def call(call_id: str, arguments: str = "{}") -> ToolContext[None]:
    """Return the context of one tool call."""
    return cast(
        "ToolContext[None]",
        ToolContext[Any](context=None, tool_name="calculator", tool_call_id=call_id, tool_arguments=arguments),
    )


@requirement("durability.unknown-effect")
async def test_a_call_that_began_and_was_not_heard_of_again_may_have_had_its_effect() -> None:
    """The next turn's model is told that nobody knows. (ours)"""
    log = ToolLog()
    assert log.lines == []

    await log.on_tool_start(call("1", '{"expression":"6*7"}'), AGENT, CALCULATOR)

    assert log.lines == ['calculator({"expression":"6*7"}) was started, its result is unknown']


async def test_calls_are_listed_in_the_order_in_which_they_began() -> None:
    """Each once, whichever ended first; two calls of one tool are two calls. (ours)"""
    log = ToolLog()
    for call_id in ("1", "2", "3"):
        await log.on_tool_start(call(call_id, call_id), AGENT, CALCULATOR)
    for call_id in ("3", "1"):
        await log.on_tool_end(call(call_id, call_id), AGENT, CALCULATOR, f"result {call_id}")

    assert log.lines == [
        "calculator(1) gave: result 1",
        "calculator(2) was started, its result is unknown",
        "calculator(3) gave: result 3",
    ]


async def test_a_call_that_the_user_was_asked_about_is_not_told_as_made() -> None:
    """Until it is allowed; from then on it is a call as any other. (ours)"""
    log = ToolLog()
    await log.on_tool_start(call("1"), AGENT, CALCULATOR)
    log.asked(call("1"), CALCULATOR)
    assert log.lines == ["calculator({}) was not run, the user had not allowed it"]

    log.started(call("1"), CALCULATOR)
    assert log.lines == ["calculator({}) was started, its result is unknown"]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("42", "42"),
        ({"type": "text", "text": "185.50"}, "185.50"),
        ({"type": "image"}, "{'type': 'image'}"),
        ([{"type": "text", "text": "a"}], "[{'type': 'text', 'text': 'a'}]"),
        ("x" * 201, "x" * 200),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_result_is_told_in_short(result: object, text: str) -> None:
    """Of a local tool, of an MCP tool, and not to fill a history with. (ours)"""
    log = ToolLog()
    await log.on_tool_end(call("1"), AGENT, CALCULATOR, result)

    assert log.lines == [f"calculator({{}}) gave: {text}"]


async def test_arguments_are_told_in_short() -> None:
    """A model may send any amount. (ours)"""
    log = ToolLog()
    await log.on_tool_start(call("1", "y" * 10_000), AGENT, CALCULATOR)

    assert log.lines == [f"calculator({'y' * 200}) was started, its result is unknown"]


async def test_a_tool_without_a_call_is_told_by_its_name() -> None:
    """Some hooks of the SDK come without the call. (ours)"""
    log = ToolLog()
    await log.on_tool_end(RunContextWrapper(None), AGENT, CALCULATOR, "42")

    assert log.lines == ["calculator gave: 42"]
