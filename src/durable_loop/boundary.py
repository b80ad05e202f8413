"""Our errors over the boundary of a workflow or an activity: the `type` of an `ApplicationError` is the class name."""

from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from durable_loop.errors import (
    ChatBusyError,
    ChatDrainingError,
    ChatEndedError,
    ChatError,
    MessageRefusedError,
    ModelError,
    ModelSetupError,
    ModelUnavailableError,
    ToolError,
    ToolInputError,
    ToolUnavailableError,
    TurnCancelledError,
    TurnFailedError,
)

__all__ = ["as_application_error", "as_chat_error"]

_CHAT_ERRORS: Final = {
    error.__name__: error
    for error in (
        MessageRefusedError,
        ChatBusyError,
        ChatDrainingError,
        ChatEndedError,
        TurnFailedError,
        TurnCancelledError,
    )
}


def as_application_error(error: ToolError | ModelError | ModelSetupError | ChatError) -> ApplicationError:
    """Give `error` the form that crosses a Temporal boundary: only what is away is worth a retry."""
    return ApplicationError(
        str(error),
        type=type(error).__name__,
        non_retryable=not isinstance(error, ToolUnavailableError | ModelUnavailableError),
        next_retry_delay=error.retry_after if isinstance(error, ModelUnavailableError) else None,
        # What a caller did wrong is no fault of the worker: not a warning with a traceback in its log.
        category=ApplicationErrorCategory.BENIGN
        if isinstance(error, ToolInputError | ChatError)
        else ApplicationErrorCategory.UNSPECIFIED,
    )


def as_chat_error(error: ApplicationError) -> ChatError:
    """Turn the chat's answer back into the error it was made from; an unknown type is a failed turn."""
    return _CHAT_ERRORS.get(error.type or "", TurnFailedError)(error.message)
