"""What went wrong, in a sentence: the one place that reads errors of the SDKs."""

from agents import MaxTurnsExceeded, ModelBehaviorError
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from durable_loop.chat.messages import Failure
from durable_loop.errors import TurnCancelledError, TurnFailedError

__all__ = ["cancelled", "failure_of", "sentence", "trimmed"]

# An error text may come from a model or a server: data, and not to fill a history with.
MAX_CHARS = 500

_TIMEOUTS = {
    TimeoutType.HEARTBEAT: "the worker that ran it is gone",
    TimeoutType.START_TO_CLOSE: "it took too long",
    TimeoutType.SCHEDULE_TO_START: "no worker took it",
    TimeoutType.SCHEDULE_TO_CLOSE: "it took too long, retries included",
}


def cancelled() -> Failure:
    """Return the failure of a turn that was cancelled on request."""
    return Failure(kind=TurnCancelledError.__name__, message="The turn was cancelled.")


def failure_of(error: BaseException, *, max_model_calls: int) -> Failure:
    """Return why a turn failed, for the user and for the model of the next turn."""
    if isinstance(error, MaxTurnsExceeded):
        message = f"The model was called {max_model_calls} times without coming to an answer."
    elif isinstance(error, ApplicationError) and error.type == TurnFailedError.__name__:
        message = error.message
    elif isinstance(error, ModelBehaviorError):
        message = f"The model sent something that cannot be used: {_stopped(str(error))}"
    else:
        message = f"The model could not answer: {sentence(error)}"
    return Failure(kind=TurnFailedError.__name__, message=message)


def sentence(error: BaseException) -> str:
    """Return the innermost readable reason of an error, ending in a full stop."""
    return _stopped(_reason(error).strip(" .\n") or type(error).__name__)


def trimmed(text: str) -> str:
    """Return `text`, cut where it gets too long to be kept."""
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} …"


def _reason(error: BaseException) -> str:
    match error:
        case TemporalTimeoutError():
            return _TIMEOUTS.get(error.type or TimeoutType.START_TO_CLOSE, "it took too long")
        case ApplicationError():
            return error.message
        case ActivityError() | FailureError() if error.cause is not None:
            return _reason(error.cause)
        case _ if error.__cause__ is not None:
            return _reason(error.__cause__)
        case _:
            return str(error)


def _stopped(text: str) -> str:
    return f"{trimmed(text.strip().rstrip('.'))}."
