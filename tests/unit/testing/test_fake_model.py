"""The fake model: a pure function of the request, loud on both sides."""

import asyncio
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from agents import (
    Agent,
    ItemHelpers,
    MaxTurnsExceeded,
    ModelResponse,
    RunConfig,
    Runner,
    RunState,
    SQLiteSession,
    TResponseInputItem,
    function_tool,
)
from agents.run_config import CallModelData, ModelInputData
from openai.types.responses import ResponseFunctionToolCall
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from durable_loop.errors import SettingsError
from durable_loop.testing import (
    FakeModel,
    FakeModelProvider,
    Script,
    UnscriptedModelCallError,
    UnusedStepsError,
    call,
    calls,
    delays,
    fails,
    fails_mid_stream,
    floods,
    garbles,
    hands_off_to,
    loops,
    says,
    streams,
)
from durable_loop.testing.fake_model import SCRIPT_VARIABLE, provider_from_environment, used_file
from tests.requirements import requirement

HELLO = {"role": "user", "content": "Hi"}


async def respond(model: FakeModel, *items: dict[str, Any]) -> ModelResponse:
    """Ask the model as the SDK would."""
    return await model.get_response(None, cast("list[TResponseInputItem]", list(items)))


async def on_attempt(attempt: int, model: FakeModel) -> ModelResponse:
    """Ask the model inside an activity that is tried for this time."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(ActivityEnvironment.default_info(), attempt=attempt)
    return await environment.run(respond, model, HELLO)


def called(name: str) -> dict[str, Any]:
    """Return the item of a tool call."""
    return {"type": "function_call", "name": name, "arguments": "{}", "call_id": name}


def result(name: str) -> dict[str, Any]:
    """Return the item of a tool's result."""
    return {"type": "function_call_output", "call_id": name, "output": "x"}


def text(response: ModelResponse) -> str:
    """Return what the model said."""
    return ItemHelpers.extract_text(response.output[0]) or ""


@requirement("harness.pure-model")
async def test_the_same_request_gives_the_same_answer_in_any_process() -> None:
    """No counter, no queue: a retry does not eat a step. (ours)"""
    script = Script(calls("a", x=1), says("Done."))

    answers = [await respond(FakeModel(script), HELLO) for _ in range(2)]
    model = FakeModel(script)
    answers += [await respond(model, HELLO) for _ in range(2)]

    assert len({str(answer.output) for answer in answers}) == 1


async def test_several_calls_in_one_go_are_one_answer() -> None:
    """What comes back from all of them asks for the second step. (ours)"""
    model = FakeModel(Script(calls(call("a"), call("b")), says("Both.")))

    first = await respond(model, HELLO)
    assert [item.type for item in first.output] == ["function_call", "function_call"]
    second = await respond(model, HELLO, called("a"), called("b"), result("a"), result("b"))
    assert text(second) == "Both."
    model.assert_complete()


async def test_a_turn_that_broke_off_does_not_shift_the_ones_after_it() -> None:
    """Its note in the transcript counts for its own turn alone. (ours)"""
    model = FakeModel(Script(calls("a"), fails("gone", retryable=False), says("Next.")))

    note = {"role": "assistant", "content": "[This turn has no answer: gone. What already ran: a.]"}
    answer = await respond(model, HELLO, note, {"role": "user", "content": "Again"})

    assert text(answer) == "Next."


async def test_a_scripted_failure_is_retryable_or_not_as_written() -> None:
    """Outside an activity every call is a first attempt. (ours)"""
    for retryable in (True, False):
        with pytest.raises(ApplicationError, match="busy") as failed:
            await respond(FakeModel(Script(fails("busy", retryable=retryable))), HELLO)
        assert failed.value.non_retryable is not retryable


@requirement("harness.unscripted")
async def test_a_call_without_a_step_shows_the_transcript_and_the_nearest_step() -> None:
    """Whoever wrote the script sees where it ended. (ours)"""
    with pytest.raises(UnscriptedModelCallError) as unscripted:
        await respond(FakeModel(Script(says("Hello."))), HELLO, {"role": "assistant", "content": "Hello."}, HELLO)

    assert str(unscripted.value) == (
        "The script has no step for turn 2, model call 1.\n"
        "The transcript so far:\n"
        "  user: Hi\n"
        "  note: Hello.\n"
        "  user: Hi\n"
        "The nearest step: turn 1, model call 1: Says(text='Hello.')"
    )


async def test_the_transcript_shows_what_the_tools_gave() -> None:
    """Shortened, on one line, each by its tool. (ours)"""
    output = [{"type": "input_text", "text": "Grün"}]
    with pytest.raises(UnscriptedModelCallError) as unscripted:
        await respond(
            FakeModel(Script()),
            HELLO,
            called("a"),
            called("b"),
            {**result("b"), "output": "long\n" * 100},
            {**result("a"), "output": output},
            {**result("gone"), "output": "lost"},
        )

    assert unscripted.value.transcript.splitlines()[1:] == [
        "  tool: a({})",
        "  tool: b({})",
        f"  b gave: {'long ' * 40} [… 299 of 499 characters left out]",
        '  a gave: [{"type": "input_text", "text": "Grün"}]',
        "  gone gave: lost",
    ]


async def test_a_step_that_was_never_asked_for_fails_the_test() -> None:
    """Also when the one that asked was another process. (ours)"""
    model = FakeModel(Script(says("Hello."), says("Bye.")))
    await respond(model, HELLO)

    with pytest.raises(UnusedStepsError, match=r"turn 2, model call 1.*Bye"):
        model.assert_complete()


async def test_a_conversation_of_which_the_beginning_is_left_out_is_told_with_the_unused_steps() -> None:
    """Each request looks like the first one, and gets its answer. (ours)"""

    def last_message_alone(call: CallModelData[Any]) -> ModelInputData:
        return ModelInputData(input=call.model_data.input[-1:], instructions=None)

    model = FakeModel(Script(says("a"), says("b")))
    agent = Agent(name="x", model=model)
    forgetful = RunConfig(tracing_disabled=True, call_model_input_filter=last_message_alone)
    first = await Runner.run(agent, "one", run_config=forgetful)
    await Runner.run(agent, [*first.to_input_list(), {"role": "user", "content": "two"}], run_config=forgetful)

    with pytest.raises(UnusedStepsError, match="2 different messages were answered at turn 1, model call 1: if they"):
        model.assert_complete()


async def test_a_listener_gets_what_came_before_a_failure() -> None:
    """In a plain streamed run: the SDK drops what it has not handed on when its model fails. (ours)"""
    model, told = FakeModel(Script(fails_mid_stream("gone", after="Hello there, A"))), list[str]()
    running = Runner.run_streamed(Agent(name="x", model=model), "Hi", run_config=RunConfig(tracing_disabled=True))

    async def listen() -> None:
        async for event in running.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                told.append(event.data.delta)

    with pytest.raises(ApplicationError, match="gone"):
        await listen()
    assert "".join(told) == "Hello there, A"


async def test_what_another_process_used_counts(tmp_path: Path) -> None:
    """The worker process notes it in a file. (ours)"""
    script, file = Script(says("Hello.")), tmp_path / "script.used"
    await respond(FakeModel(script, used_file=file), HELLO)

    FakeModel(script, used_file=file).assert_complete()
    with pytest.raises(UnusedStepsError):
        FakeModel(script, used_file=tmp_path / "other").assert_complete()


async def test_it_works_in_a_plain_run_without_temporal() -> None:
    """`Runner.run` of the Agents SDK, with a tool. (ours)"""

    @function_tool
    def double(number: int) -> str:
        """Double a number."""
        return str(number * 2)

    model = FakeModel(Script(calls("double", number=21), says("42.")))
    agent = Agent(name="x", model=model, tools=[double])

    done = await Runner.run(agent, "Double 21", run_config=RunConfig(tracing_disabled=True))

    assert done.final_output == "42."
    assert "42" in str(done.new_items[1].to_input_item())
    model.assert_complete()


async def test_an_unscripted_call_in_an_activity_is_not_tried_again() -> None:
    """The text crosses the boundary; a retry would only hide it. (ours)"""
    with pytest.raises(ApplicationError, match="The script has no step for turn 1, model call 1") as failed:
        await ActivityEnvironment().run(respond, FakeModel(Script()), HELLO)

    assert (failed.value.type, failed.value.non_retryable) == ("UnscriptedModelCallError", True)


async def test_the_attempt_of_the_activity_decides_whether_a_step_still_fails() -> None:
    """A retry in a new process gets the answer; the script is used up by it. (ours)"""
    script = Script(fails("busy", attempts=1), says("Here."))
    model = FakeModel(script)

    with pytest.raises(ApplicationError, match="busy"):
        await on_attempt(1, model)
    with pytest.raises(UnusedStepsError, match="Here"):
        model.assert_complete()
    assert text(await on_attempt(2, model)) == "Here."
    model.assert_complete()
    assert text(await on_attempt(2, FakeModel(script))) == "Here."


async def test_a_text_as_input_is_the_first_message() -> None:
    """As `Runner.run` passes it for a new conversation. (ours)"""
    response = await FakeModel(Script(says("Hello."))).get_response(None, "Hi")

    assert text(response) == "Hello."


def test_a_worker_process_without_a_script_says_which_variable_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of setup. (ours)"""
    monkeypatch.delenv(SCRIPT_VARIABLE, raising=False)

    with pytest.raises(SettingsError, match=f"{SCRIPT_VARIABLE} is not set"):
        provider_from_environment()


async def test_a_worker_process_speaks_the_script_that_its_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And tells the test what it used. (ours)"""
    script, file = Script(says("Hello.")), tmp_path / "script.json"
    script.write(file)
    monkeypatch.setenv(SCRIPT_VARIABLE, str(file))

    model = provider_from_environment().get_model("any name")

    assert text(await respond(cast("FakeModel", model), HELLO)) == "Hello."
    FakeModel(script, used_file=used_file(file)).assert_complete()


async def spoken(model: FakeModel, *, agent: Agent[None] | None = None) -> list[str]:
    """Return the pieces of text that a streamed run gives."""
    result = Runner.run_streamed(agent or Agent(name="x", model=model), "Hi")
    return [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]


@requirement("agents.streamed")
async def test_a_stream_gives_the_pieces_that_are_written_or_words() -> None:
    """And a model call that is no stream gets the whole. (ours)"""
    script = Script(streams("Hel", "lo, ", "Ada."))

    assert await spoken(FakeModel(script)) == ["Hel", "lo, ", "Ada."]
    assert await spoken(FakeModel(Script(says("Hello, Ada.")))) == ["Hello,", " Ada."]
    assert ItemHelpers.extract_last_text((await respond(FakeModel(script), HELLO)).output[0]) == "Hello, Ada."


async def test_a_streamed_run_calls_tools_as_any_other() -> None:
    """The events of a call are complete. (ours)"""

    @function_tool
    def add(a: int, b: int) -> int:
        return a + b

    model = FakeModel(Script(calls("add", a=1, b=2), says("Three.")))
    assert await spoken(model, agent=Agent(name="x", model=model, tools=[add])) == ["Three."]
    model.assert_complete()


@requirement("agents.streamed")
async def test_a_stream_that_fails_gives_what_it_had_first() -> None:
    """Then the failure; a call that is no stream has nothing to show. (ours)"""
    model, told = FakeModel(Script(fails_mid_stream("gone", after="Hello, A"))), list[str]()

    async def listen(speaker: FakeModel) -> None:
        async for event in speaker.stream_response(None, "Hi"):
            told.extend([event.delta] if event.type == "response.output_text.delta" else [])

    with pytest.raises(ApplicationError, match="gone"):
        await listen(model)
    assert told == ["Hello,", " A"]
    with pytest.raises(ApplicationError, match="gone"):
        await respond(model, HELLO)
    with pytest.raises(ApplicationError, match="never"):
        await listen(FakeModel(Script(fails("never"))))
    assert told == ["Hello,", " A"]


async def test_a_failure_says_whether_and_when_it_is_tried_again() -> None:
    """As the activity's retries read it. (Temporal)"""
    with pytest.raises(ApplicationError) as limited:
        await respond(FakeModel(Script(fails("limited", retry_after=2.5))), HELLO)

    assert (limited.value.non_retryable, limited.value.next_retry_delay) == (False, timedelta(seconds=2.5))


async def test_a_failure_has_the_type_that_a_retry_policy_knows_it_by() -> None:
    """`RetryPolicy(non_retryable_error_types=…)` reads it; without one it says that a script wrote it. (Temporal)"""
    typed = fails("too long", error_type="ContextTooLong")
    for step, expected in ((typed, "ContextTooLong"), (fails("busy"), "ScriptedFailure")):
        with pytest.raises(ApplicationError) as failed:
            await respond(FakeModel(Script(step)), HELLO)
        assert failed.value.type == expected

    with pytest.raises(ApplicationError) as broken:
        async for _ in FakeModel(Script(fails_mid_stream("gone", after="Hel", error_type="Lost"))).stream_response(
            None, "Hi"
        ):
            pass
    assert broken.value.type == "Lost"


async def test_a_delayed_answer_can_be_cancelled() -> None:
    """It waits as a model does, and holds up nothing else. (ours)"""
    asking = asyncio.create_task(respond(FakeModel(Script(delays(timedelta(hours=1)), says("Late."))), HELLO))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await respond(FakeModel(Script(delays(0.001), says("Soon."))), HELLO)).output


async def test_hostile_answers_are_what_they_are() -> None:
    """Arguments that are no JSON, a flood, a loop. (ours)"""
    (garbled,) = (await respond(FakeModel(Script(garbles("add", '{"a":'))), HELLO)).output
    assert isinstance(garbled, ResponseFunctionToolCall)
    assert (garbled.name, garbled.arguments) == ("add", '{"a":')
    (flood,) = (await respond(FakeModel(Script(floods(3_000_000))), HELLO)).output
    assert len(ItemHelpers.extract_last_text(flood) or "") == 3_000_000

    @function_tool
    def add(a: int) -> int:
        return a

    model = FakeModel(Script(loops("add", a=1), says("Here.")))
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(Agent(name="x", model=model, tools=[add]), "Hi", max_turns=7)


@requirement("agents.handoffs")
async def test_a_handoff_goes_on_in_the_same_script() -> None:
    """The agent that takes over speaks the next step. (ours)"""
    model = FakeModel(Script(hands_off_to("Refund agent"), says("Refunded."), says("Bye.")))
    refunds = Agent(name="Refund agent", model=model)
    session = SQLiteSession("x")

    result = await Runner.run(Agent(name="front", model=model, handoffs=[refunds]), "Hi", session=session)
    assert (result.final_output, result.last_agent.name) == ("Refunded.", "Refund agent")
    assert (await Runner.run(refunds, "Bye", session=session)).final_output == "Bye."
    model.assert_complete()
    session.close()


async def test_an_agent_that_is_a_tool_has_a_script_of_its_own() -> None:
    """By the name of its model; what it leaves unsaid is named with it. (ours)"""
    mini = Script(says("Oslo is in Norway."), says("More."))
    model = FakeModel(Script(calls("ask", input="Where is Oslo?"), says("In Norway."), models={"mini": mini}))
    inner = Agent(name="geographer", model="mini")
    outer = Agent(name="x", model="big", tools=[inner.as_tool("ask", "Ask.")])

    result = await Runner.run(outer, "Oslo?", run_config=RunConfig(model_provider=FakeModelProvider(model)))

    assert result.final_output == "In Norway."
    with pytest.raises(UnusedStepsError, match=r"model mini, turn 2, model call 1: Says\(text='More\.'\)"):
        model.assert_complete()


@requirement("agents.approvals")
async def test_a_run_that_waits_for_an_approval_goes_on_at_the_next_step() -> None:
    """Also from a state that was written and read. (ours)"""

    @function_tool(needs_approval=True)
    def delete(path: str) -> str:
        return f"deleted {path}"

    model = FakeModel(Script(calls(call("delete", path="a"), call("delete", path="b")), says("Both are gone.")))
    agent = Agent(name="x", model=model, tools=[delete])
    asked = await Runner.run(agent, "Delete both")
    assert len(asked.interruptions) == 2
    state = await RunState.from_json(agent, asked.to_state().to_json())
    for question in state.get_interruptions():
        state.approve(question)

    assert (await Runner.run(agent, state)).final_output == "Both are gone."
    model.assert_complete()
