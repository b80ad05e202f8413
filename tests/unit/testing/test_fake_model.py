"""The fake model: a pure function of the request, loud on both sides."""

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from agents import Agent, ItemHelpers, ModelResponse, RunConfig, Runner, TResponseInputItem, function_tool
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from durable_loop.errors import SettingsError
from durable_loop.testing import (
    FakeModel,
    Script,
    UnscriptedModelCallError,
    UnusedStepsError,
    call,
    calls,
    fails,
    says,
)
from durable_loop.testing.fake_model import SCRIPT_VARIABLE, provider_from_environment, used_file

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
        "The nearest step: turn 1, model call 1: Says(kind='says', text='Hello.')"
    )


async def test_a_step_that_was_never_asked_for_fails_the_test() -> None:
    """Also when the one that asked was another process. (ours)"""
    model = FakeModel(Script(says("Hello."), says("Bye.")))
    await respond(model, HELLO)

    with pytest.raises(UnusedStepsError, match=r"turn 2, model call 1.*Bye"):
        model.assert_complete()


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


def test_a_stream_is_refused_at_once() -> None:
    """Scripts are spoken whole. (ours)"""
    with pytest.raises(TypeError, match="does not stream"):
        FakeModel(Script(says("Hello."))).stream_response()


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
