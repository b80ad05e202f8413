"""A long turn in stretches: the same conversation, and the SDK never sees more than a stretch of it."""

from typing import Any

import pytest
from agents import Agent, MaxTurnsExceeded, RunConfig, RunHooks, function_tool
from agents.run import CallModelData, ModelInputData
from agents.testing import ScriptedModel, assistant_message, function_call

from durable_loop.chat.messages import Item
from durable_loop.chat.stretches import MODEL_CALLS, run_in_stretches
from tests.requirements import requirement


@function_tool
def double(number: int) -> str:
    """Double a number."""
    return str(2 * number)


class Conversation:
    """An agent whose model calls a tool so many times; notes what the SDK holds and what the model would be asked."""

    def __init__(self, tool_calls: int) -> None:
        calls = [[function_call("double", {"number": number}, call_id=f"c{number}")] for number in range(tool_calls)]
        self.model = ScriptedModel([*calls, [assistant_message("done")]])
        self.said: list[Item] = []
        self.held: list[int] = []
        self.asked: list[list[Any]] = []

    async def run(self, *, max_model_calls: int) -> str:
        """Run it."""
        return await run_in_stretches(
            Agent(name="a", model=self.model, tools=[double]),
            "go",
            self.said,
            max_model_calls=max_model_calls,
            hooks=RunHooks(),
            run_config=RunConfig(tracing_disabled=True, call_model_input_filter=self._ask),
        )

    def _ask(self, call: CallModelData[Any]) -> ModelInputData:
        self.held.append(len(call.model_data.input))
        self.asked.append([*self.said, *call.model_data.input])
        return call.model_data


@pytest.mark.parametrize("tool_calls", [0, 1, MODEL_CALLS - 1, MODEL_CALLS, MODEL_CALLS + 1, 3 * MODEL_CALLS])
async def test_a_turn_in_stretches_is_the_same_conversation(tool_calls: int) -> None:
    """Message, calls with their results, answer; each model call is asked all that was said before it. (ours)"""
    conversation = Conversation(tool_calls)

    assert await conversation.run(max_model_calls=100) == "done"

    said = [item.get("content", item.get("call_id")) for item in conversation.said]
    steps = [f"c{number}" for number in range(tool_calls) for _ in ("call", "result")]
    assert said[:-1] == ["go", *steps]
    assert conversation.said[-1]["content"][0]["text"] == "done"
    assert [len(items) for items in conversation.asked] == [1 + 2 * number for number in range(tool_calls + 1)]


@requirement("temporal.task-timeout")
async def test_the_sdk_never_holds_more_than_a_stretch() -> None:
    """It walks through all that it holds with each model call, and a replay has ten seconds. (ours)"""
    conversation = Conversation(5 * MODEL_CALLS)

    await conversation.run(max_model_calls=100)

    assert max(conversation.held) < 2 * MODEL_CALLS


@pytest.mark.parametrize("limit", [1, MODEL_CALLS, MODEL_CALLS + 1, 2 * MODEL_CALLS])
async def test_the_limit_of_model_calls_holds_over_stretches(limit: int) -> None:
    """No call more, and the run ends with the SDK's own error. (ours)"""
    conversation = Conversation(5 * MODEL_CALLS)

    with pytest.raises(MaxTurnsExceeded):
        await conversation.run(max_model_calls=limit)

    assert len(conversation.asked) == limit
