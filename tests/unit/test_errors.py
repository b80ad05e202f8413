"""Errors over a Temporal boundary: the same error on the other side."""

import pytest
from temporalio.exceptions import ApplicationError

from durable_loop.errors import (
    ChatBusyError,
    ChatDrainingError,
    ChatEndedError,
    ChatError,
    MessageRefusedError,
    ToolInputError,
    ToolUnavailableError,
    TurnCancelledError,
    TurnFailedError,
    as_application_error,
    as_chat_error,
)


@pytest.mark.parametrize(
    "error",
    [
        MessageRefusedError("blank"),
        ChatBusyError("full"),
        ChatDrainingError("soon"),
        ChatEndedError("over"),
        TurnFailedError("no"),
        TurnCancelledError("stopped"),
    ],
)
def test_what_the_chat_says_no_with_arrives_as_the_same_error(error: ChatError) -> None:
    """Its type and its words. (ours)"""
    arrived = as_chat_error(as_application_error(error))

    assert (type(arrived), str(arrived)) == (type(error), str(error))


def test_an_error_of_an_unknown_type_is_a_failed_turn() -> None:
    """A newer worker may say something that this client does not know. (ours)"""
    assert type(as_chat_error(ApplicationError("?", type="FromTheFuture"))) is TurnFailedError


def test_only_what_is_away_is_worth_a_retry() -> None:
    """The caller's fault stays the caller's fault. (ours)"""
    assert as_application_error(ToolInputError("wrong")).non_retryable
    assert not as_application_error(ToolUnavailableError("away")).non_retryable
