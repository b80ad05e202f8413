"""The place of a request: read where it can be, and where it cannot the fake model says so."""

from typing import Any, cast

import pytest
from agents import (
    Agent,
    ModelResponse,
    RunConfig,
    Runner,
    SQLiteSession,
    TResponseInputItem,
    function_tool,
    handoff,
)
from agents.run_config import CallModelData, ModelInputData
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from durable_loop.testing import FakeModel, LostPlaceError, Script, call, calls, hands_off_to, says
from durable_loop.testing.placing import call_id, place_of
from durable_loop.testing.script import Place
from tests.requirements import requirement

Item = dict[str, Any]
HELLO: Item = {"role": "user", "content": "Hi"}


@function_tool
def look(where: str) -> str:
    """Look somewhere."""
    return f"nothing in {where}"


def called(*place: int, model: str = "") -> Item:
    """Return a call that the fake model made at this place (turn, call, number)."""
    turn, number, one = place
    made = call_id(Place(turn, number), one, model=model)
    return {"type": "function_call", "name": "look", "arguments": "{}", "call_id": made}


def result(*place: int) -> Item:
    """Return the result of that call."""
    return {"type": "function_call_output", "call_id": called(*place)["call_id"], "output": "x"}


def note(text: str) -> Item:
    """Return what stands in a transcript for an answer."""
    return {"role": "assistant", "content": text}


@requirement("agents.handoffs")
async def test_a_history_that_a_handoff_has_folded_is_unfolded() -> None:
    """Calls before it, lines in a text, a fold within a fold, and turns before and after it. (ours)"""
    script = Script(
        says("1. assistant: hello\nuser: you."),
        calls(call("look", where="a\nb"), call("look", where="c")),
        hands_off_to("middle"),
        calls("look", where="d"),
        hands_off_to("back"),
        calls("look", where="e"),
        says("Nothing."),
        says("Bye."),
    )
    model, session = FakeModel(script), SQLiteSession("x")
    back = Agent(name="back", model=model, tools=[look])
    middle = Agent(name="middle", model=model, tools=[look], handoffs=[back])
    front = Agent(name="front", model=model, tools=[look], handoffs=[middle])
    config = RunConfig(nest_handoff_history=True)

    await Runner.run(front, "Hi\n2. user: there", session=session, run_config=config)
    found = await Runner.run(front, "Look\neverywhere", session=session, run_config=config)
    assert found.final_output == "Nothing."
    again: list[TResponseInputItem] = [*found.to_input_list(), {"role": "user", "content": "Bye"}]
    assert (await Runner.run(back, again)).final_output == "Bye."

    model.assert_complete()
    session.close()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_folded_history_of_one_handoff_goes_on_in_the_script(*, streamed: bool) -> None:
    """Whether the setting is the run's or the handoff's. (ours)"""
    model = FakeModel(Script(hands_off_to("b"), says("Hello.")))
    agent = Agent(name="a", model=model, handoffs=[handoff(Agent(name="b", model=model), nest_handoff_history=True)])

    if streamed:
        run = Runner.run_streamed(agent, "Hi")
        async for _ in run.stream_events():
            pass
        assert run.final_output == "Hello."
    else:
        assert (await Runner.run(agent, "Hi")).final_output == "Hello."
    model.assert_complete()


async def test_a_history_that_a_mapper_of_ones_own_has_folded_has_no_place() -> None:
    """Nobody but the mapper could unfold it. (ours)"""
    model = FakeModel(Script(calls("look", where="a"), hands_off_to("b"), says("Hello.")))
    agent = Agent(name="a", model=model, tools=[look], handoffs=[Agent(name="b", model=model)])
    config = RunConfig(nest_handoff_history=True, handoff_history_mapper=lambda _: [cast("Any", note("They talked."))])

    with pytest.raises(LostPlaceError, match="it has an answer of a model, and no message of the user"):
        await Runner.run(agent, "Hi", run_config=config)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (
            [HELLO, called(0, 1, 0), result(0, 1, 0)],
            "a call of turn 1, model call 2 (call_0_1_0) where one of turn 1, mo",
        ),
        (
            [HELLO, called(2, 0, 0), result(2, 0, 0)],
            "a call of turn 3, model call 1 (call_2_0_0) where one of turn 1, mo",
        ),
        ([HELLO, called(0, 0, 0), called(0, 1, 0), result(0, 1, 0)], "a call of turn 1, model call 2 (call_0_1_0)"),
        ([result(0, 0, 0)], "the result of a call of turn 1, model call 1 (call_0_0_0), and not the call"),
        ([HELLO, called(0, 0, 0), result(0, 0, 0), result(0, 1, 0)], "(call_0_1_0), and not the call"),
        ([HELLO, note("<CONVERSATION HISTORY> and nothing that ends it")], "which the SDK cannot unfold"),
    ],
)
@requirement("harness.lost-place")
def test_a_request_without_what_was_said_before_has_no_place(items: list[Item], words: str) -> None:
    """The calls that are left tell where they stood. (ours)"""
    with pytest.raises(LostPlaceError) as lost:
        place_of(items, model="")

    assert words in str(lost.value)
    assert "leave that out in the test, or give the model that takes over a name and a script" in str(lost.value)


@pytest.mark.parametrize(
    ("items", "place"),
    [
        ([], Place(0, 0)),
        ([HELLO, called(0, 0, 0), called(0, 0, 1), result(0, 0, 1), result(0, 0, 0)], Place(0, 1)),
        # An earlier turn was cut, a summary stands for others, one broke off.
        ([HELLO, called(0, 7, 0), result(0, 7, 0), HELLO], Place(1, 0)),
        ([HELLO, result(0, 0, 0), note("Done."), HELLO, called(1, 0, 0), result(1, 0, 0)], Place(1, 1)),
        ([HELLO, note("[3 steps of this turn are left out: it grew too long.]"), note("Done."), HELLO], Place(1, 0)),
        (
            [
                {"role": "user", "content": "[Summary of turns 1 to 4, written by the model]\nx"},
                HELLO,
                called(4, 0, 0),
                result(4, 0, 0),
            ],
            Place(4, 1),
        ),
        ([HELLO, note("[This turn has no answer: gone. What already ran: a.]"), HELLO], Place(1, 0)),
        # Another model's calls, those of a person who wrote the history, and a turn that no user began.
        ([HELLO, called(0, 4, 0, model="mini"), HELLO, called(9, 9, 9, model="mini")], Place(1, 1)),
        ([HELLO, {**called(0, 5, 0), "call_id": "call_Xyz"}, {**result(0, 5, 0), "call_id": "call_Xyz"}], Place(0, 1)),
        ([{"role": "developer", "content": "Go."}, called(0, 0, 0), result(0, 0, 0)], Place(0, 1)),
        ([note("Welcome."), HELLO], Place(0, 0)),
    ],
)
def test_what_is_ordinary_has_its_place(items: list[Item], place: Place) -> None:
    """No alarm where earlier turns are shorter than they were. (ours)"""
    assert place_of(items, model="") == place


async def test_a_filter_of_the_input_that_forgets_the_beginning_is_told() -> None:
    """It would shift the turns from one call to the next. (ours)"""

    def newest(data: CallModelData[Any]) -> ModelInputData:
        return ModelInputData(input=data.model_data.input[-3:], instructions=None)

    model = FakeModel(Script(says("Hello."), calls("look", where="a"), says("Nothing.")))
    agent, session = Agent(name="x", model=model, tools=[look]), SQLiteSession("x")
    await Runner.run(agent, "Hi", session=session)

    with pytest.raises(LostPlaceError, match=r"a call of turn 2, model call 1 \(call_1_0_0\)"):
        await Runner.run(agent, "Look", session=session, run_config=RunConfig(call_model_input_filter=newest))
    session.close()


async def test_a_lost_place_in_an_activity_is_not_looked_for_again() -> None:
    """The text crosses the boundary. (ours)"""

    async def ask() -> ModelResponse:
        return await FakeModel(Script(says("x"))).get_response(
            None, cast("list[TResponseInputItem]", [result(0, 0, 0)])
        )

    with pytest.raises(ApplicationError, match="seems to stand at turn 1, model call 1 of the script") as failed:
        await ActivityEnvironment().run(ask)
    assert (failed.value.type, failed.value.non_retryable) == ("LostPlaceError", True)
