"""Why a turn has no answer, in a sentence: for the user, and for the model of the next turn."""

from agents import MaxTurnsExceeded, ModelBehaviorError
from temporalio.exceptions import ApplicationError

from durable_loop.chat.messages import Failure
from durable_loop.chat.sentences import sentence, stopped
from durable_loop.errors import TurnCancelledError, TurnFailedError

__all__ = ["cancelled", "failure_of"]


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
        message = f"The model sent something that cannot be used: {stopped(str(error))}"
    else:
        message = f"The model could not answer: {sentence(error)}"
    return Failure(kind=TurnFailedError.__name__, message=message)
