"""An error in a sentence: for the user, for the model of the next turn, and for whoever watches a retry."""

from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

__all__ = ["sentence", "stopped", "trimmed"]

# An error text may come from a model or a server: data, and not to fill a history with.
MAX_CHARS = 500

_TIMEOUTS = {
    TimeoutType.HEARTBEAT: "the worker that ran it is gone",
    TimeoutType.START_TO_CLOSE: "it took too long",
    TimeoutType.SCHEDULE_TO_START: "no worker took it",
    TimeoutType.SCHEDULE_TO_CLOSE: "it took too long, retries included",
}


def sentence(error: BaseException) -> str:
    """Return the innermost readable reason of an error, ending in a full stop."""
    return stopped(_reason(error).strip(" .\n") or type(error).__name__)


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


def stopped(text: str) -> str:
    """Return a text from elsewhere as a sentence: cut where it gets too long, and ending in a full stop."""
    return f"{trimmed(text.strip().rstrip('.'))}."
