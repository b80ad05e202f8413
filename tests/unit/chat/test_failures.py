"""Why something failed, in a sentence."""

import pytest
from agents import MaxTurnsExceeded, ModelBehaviorError
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from durable_loop.chat import failures, sentences
from durable_loop.chat.messages import Failure


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


def caused(text: str, *, by: BaseException) -> RuntimeError:
    """Return an error that was raised from another one."""
    error = RuntimeError(text)
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (activity_error(ApplicationError("The key was refused.")), "The key was refused."),
        (activity_error(ApplicationError("busy")), "busy."),
        (timeout(TimeoutType.HEARTBEAT), "the worker that ran it is gone."),
        (timeout(TimeoutType.START_TO_CLOSE), "it took too long."),
        (timeout(TimeoutType.SCHEDULE_TO_START), "no worker took it."),
        (timeout(TimeoutType.SCHEDULE_TO_CLOSE), "it took too long, retries included."),
        (activity_error(RuntimeError()), "ActivityError."),
        (caused("outer", by=ValueError("inner")), "inner."),
        (ValueError(" spaced. \n"), "spaced."),
        (ValueError("x" * 600), "x" * 500 + " …."),
        (ValueError(), "ValueError."),
    ],
)
def test_an_error_is_told_by_its_innermost_reason(error: BaseException, sentence: str) -> None:
    """One sentence, not a chain of exceptions. (ours)"""
    assert sentences.sentence(error) == sentence


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
        Failure(kind="TurnFailedError", message="The model sent something that cannot be used: no such thing."),
        Failure(kind="TurnFailedError", message="The model could not answer: no key."),
    ]
    assert failures.cancelled().kind == "TurnCancelledError"


def test_a_long_text_of_a_server_is_cut() -> None:
    """It is kept in the history, and read by the next turn's model. (ours)"""
    assert sentences.trimmed("x" * 500) == "x" * 500
    assert sentences.trimmed("x" * 501) == "x" * 500 + " …"
    told = failures.failure_of(ModelBehaviorError("y" * 9_999), max_model_calls=50)
    assert len(told.message) < 600
