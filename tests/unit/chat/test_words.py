"""The words of a chat: why something failed, what was said, which tools ran."""

import pytest
from agents import MaxTurnsExceeded, ModelBehaviorError
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from durable_loop.chat import failures
from durable_loop.chat.messages import ChatPolicy, Failure, TranscriptLine
from durable_loop.chat.tools import local_tools
from durable_loop.chat.transcript import lines


def activity_error(cause: BaseException) -> ActivityError:
    """Return how a failed activity arrives in a workflow."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="x",
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


def timeout(kind: TimeoutType) -> ActivityError:
    """Return how an activity that timed out arrives in a workflow."""
    return activity_error(TemporalTimeoutError("x", type=kind, last_heartbeat_details=[]))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (activity_error(ApplicationError("The key was refused.")), "The key was refused."),
        (activity_error(ApplicationError("busy")), "busy."),
        (timeout(TimeoutType.HEARTBEAT), "the worker that ran it is gone."),
        (timeout(TimeoutType.START_TO_CLOSE), "it took too long."),
        (timeout(TimeoutType.SCHEDULE_TO_START), "no worker took it."),
        (ValueError("x" * 600), "x" * 500 + " …."),
        (ValueError(), "ValueError."),
    ],
)
def test_an_error_is_told_by_its_innermost_reason(error: BaseException, sentence: str) -> None:
    """One sentence, not a chain of exceptions. (ours)"""
    assert failures.sentence(error) == sentence


def test_a_failed_turn_says_what_kind_of_failure_it_was() -> None:
    """A limit, a model that cannot be used, and everything else. (ours)"""
    told = [
        failures.failure_of(error, max_model_calls=50)
        for error in (
            MaxTurnsExceeded("x"),
            ModelBehaviorError("no such thing"),
            activity_error(ApplicationError("no key")),
        )
    ]

    assert told == [
        Failure(kind="TurnFailedError", message="The model was called 50 times without coming to an answer."),
        Failure(kind="TurnFailedError", message="The model sent something that cannot be used: no such thing"),
        Failure(kind="TurnFailedError", message="The model could not answer: no key."),
    ]
    assert failures.cancelled().kind == "TurnCancelledError"


def test_a_transcript_is_shown_without_the_models_inner_items() -> None:
    """Users, agents, tools and notes; results of tools and reasoning are left out. (ours)"""
    shown = lines(
        [
            {"role": "user", "content": "AAPL?"},
            {"type": "reasoning", "id": "r", "summary": []},
            {"type": "function_call", "name": "stock_price", "arguments": '{"ticker":"AAPL"}', "call_id": "1"},
            {"type": "function_call_output", "call_id": "1", "output": "185.50"},
            {
                "role": "assistant",
                "content": [{"type": "output_text", "text": "185."}, {"type": "output_text", "text": "50"}],
            },
            {"role": "user", "content": [{"type": "input_text", "text": "And?"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "assistant", "content": "[This turn has no answer: …]"},
        ]
    )

    assert shown == [
        TranscriptLine(role="user", text="AAPL?"),
        TranscriptLine(role="tool", text='stock_price({"ticker":"AAPL"})'),
        TranscriptLine(role="agent", text="185.50"),
        TranscriptLine(role="user", text="And?"),
        TranscriptLine(role="agent", text="No."),
        TranscriptLine(role="note", text="[This turn has no answer: …]"),
    ]


def test_local_tools_are_described_well_enough_for_a_model() -> None:
    """Each tool and each argument has a description, and examples. (ours)"""
    tools = local_tools(ChatPolicy())

    assert [tool.name for tool in tools] == ["calculator", "weather"]
    for tool in tools:
        assert tool.description.endswith(".")
        for argument in tool.params_json_schema["properties"].values():
            assert argument["description"].endswith(".")
            assert argument["examples"]
