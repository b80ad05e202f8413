"""Handoffs in a script: by the agent's name, whatever its tool is called; and what their filters do to the place."""

from typing import Any

import pytest
from agents import (
    Agent,
    Handoff,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelResponse,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunResult,
    SQLiteSession,
    function_tool,
    handoff,
)
from agents.extensions.handoff_filters import remove_all_tools
from openai.types.responses import ResponseFunctionToolCall
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from durable_loop.testing import (
    FakeModel,
    FakeModelProvider,
    LostPlaceError,
    NoSuchHandoffError,
    Script,
    UnusedStepsError,
    call,
    calls,
    hands_off_to,
    says,
)
from tests.requirements import requirement


@function_tool
def look(where: str) -> str:
    """Look somewhere."""
    return f"nothing in {where}"


def called(result: RunResult) -> list[str]:
    """Return the names of the tools that were called, handoffs included."""
    calls = [item.raw_item for item in result.new_items if item.type in {"tool_call_item", "handoff_call_item"}]
    return [call.name for call in calls if isinstance(call, ResponseFunctionToolCall)]


def filtered(agent: Agent[None]) -> Handoff[Any, Any]:
    """Return a handoff that leaves no call in the history."""
    return handoff(agent, input_filter=remove_all_tools)


@pytest.mark.parametrize("name", ["Übersetzer", "Refund agent", "Büro-Agent №1", "back"])
@requirement("agents.handoffs")
async def test_a_handoff_is_called_as_the_sdk_calls_it(name: str) -> None:
    """Whatever the agent's name has in it. (agents)"""
    model = FakeModel(Script(hands_off_to(name), says("Here.")))
    other = Agent(name=name, model=model)

    result = await Runner.run(Agent(name="front", model=model, handoffs=[other]), "Hi")

    assert (result.last_agent.name, called(result)) == (name, [Handoff.default_tool_name(other)])
    model.assert_complete()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_handoff_by_another_name_is_found_by_its_agent(*, streamed: bool) -> None:
    """Also in a stream, which passes the request otherwise. (ours)"""
    model = FakeModel(Script(hands_off_to("back"), says("Here.")))
    others = [handoff(Agent(name=name, model=model), tool_name_override=f"ask_{name}") for name in ("side", "back")]
    front = Agent(name="front", model=model, handoffs=[*others])

    if streamed:
        run = Runner.run_streamed(front, "Hi")
        assert [event.item.type async for event in run.stream_events() if event.type == "run_item_stream_event"]
        assert run.last_agent.name == "back"
    else:
        assert called(await Runner.run(front, "Hi")) == ["ask_back"]
    model.assert_complete()


async def test_a_handoff_that_is_not_offered_is_refused_with_those_that_are() -> None:
    """A name that is written wrong, most of the time. (ours)"""
    model = FakeModel(Script(hands_off_to("Refunds")))
    other = handoff(Agent(name="Refund agent", model=model), tool_name_override="refund")

    with pytest.raises(NoSuchHandoffError) as refused:
        await Runner.run(Agent(name="front", model=model, handoffs=[other]), "Hi")
    assert str(refused.value).startswith(
        "This request seems to stand at turn 1, model call 1 of the script, and does not fit there: the script hands "
        "off to Refunds, and the agent that asks has no handoff to it (write one of those that it has: Refund agent "
        "(refund)).\n"
    )
    with pytest.raises(NoSuchHandoffError, match=r"no handoff to it \(it has none at all\)"):
        await model.get_response(None, "Hi")
    with pytest.raises(UnusedStepsError):
        model.assert_complete()


async def test_a_handoff_that_is_not_offered_to_an_activity_is_not_tried_again() -> None:
    """The text crosses the boundary. (ours)"""

    async def ask() -> ModelResponse:
        return await FakeModel(Script(hands_off_to("back"))).get_response(None, "Hi")

    with pytest.raises(ApplicationError, match="has no handoff to it") as failed:
        await ActivityEnvironment().run(ask)
    assert (failed.value.type, failed.value.non_retryable) == ("NoSuchHandoffError", True)


@pytest.mark.parametrize(
    "before", [(), (calls("look", where="a"),), (calls("look", where="a"), calls(call("look", where="b")))]
)
@requirement("harness.lost-place")
async def test_a_filter_that_leaves_no_call_in_the_request_is_told(before: tuple[Any, ...]) -> None:
    """The agent that takes over would make the first step of the turn again. (ours)"""
    model = FakeModel(Script(says("Hello."), *before, hands_off_to("back"), calls("sum_up"), says("Here.")))
    back, session = Agent(name="back", model=model), SQLiteSession("x")
    front = Agent(name="front", model=model, tools=[look], handoffs=[filtered(back)])
    await Runner.run(front, "Hi", session=session)

    with pytest.raises(LostPlaceError, match=r"(?s)seems to stand at turn 2, model call 1 of.*remove_all_tools"):
        await Runner.run(front, "Back, please", session=session)
    session.close()


async def test_a_filter_between_agents_with_the_same_tool_ends_at_the_limit_of_the_run() -> None:
    """Either agent may stand at that call, so the model makes it again; the test fails all the same. (known gap)"""
    model = FakeModel(Script(calls("look", where="a"), hands_off_to("back"), says("Here.")))
    back = Agent(name="back", model=model, tools=[look])
    front = Agent(name="front", model=model, tools=[look], handoffs=[filtered(back)])

    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(front, "Hi", max_turns=5)
    with pytest.raises(UnusedStepsError):
        model.assert_complete()


async def test_a_filter_is_no_harm_to_a_model_with_a_script_of_its_own() -> None:
    """As the error says what to do. (ours)"""
    mini = Script(calls("look", where="b"), says("Nothing."))
    model = FakeModel(Script(calls("look", where="a"), hands_off_to("back"), models={"mini": mini}))
    back = Agent(name="back", model="mini", tools=[look])
    front = Agent(name="front", model="big", tools=[look], handoffs=[filtered(back)])

    result = await Runner.run(front, "Hi", run_config=RunConfig(model_provider=FakeModelProvider(model)))

    assert (result.final_output, result.last_agent.name) == ("Nothing.", "back")
    model.assert_complete()


async def test_a_handoff_that_a_call_makes_possible_is_no_reason_for_an_alarm() -> None:
    """The agent that asks has the tool, if not the handoff that comes after it. (ours)"""
    looked = list[str]()

    @function_tool
    def look(where: str) -> str:
        looked.append(where)
        return where

    def enabled(_: RunContextWrapper[Any], __: object) -> bool:
        return bool(looked)

    model = FakeModel(Script(calls("look", where="a"), hands_off_to("back"), says("Here.")))
    back = handoff(Agent(name="back", model=model), is_enabled=enabled)

    assert (
        await Runner.run(Agent(name="front", model=model, tools=[look], handoffs=[back]), "Hi")
    ).final_output == "Here."
    model.assert_complete()


async def test_a_call_of_a_tool_that_there_is_not_is_made_where_the_handoff_is_there() -> None:
    """What becomes of it is what the test is for. (ours)"""
    model = FakeModel(Script(calls("no_such_tool"), hands_off_to("back"), says("Here.")))
    front = Agent(name="front", model=model, handoffs=[Agent(name="back", model=model)])

    with pytest.raises(ModelBehaviorError, match="no_such_tool"):
        await Runner.run(front, "Hi")
