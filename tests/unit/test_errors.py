"""Errors over a Temporal boundary: the same error on the other side."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from durable_loop.boundary import as_application_error, as_chat_error
from durable_loop.errors import (
    ChatBusyError,
    ChatDrainingError,
    ChatEndedError,
    ChatError,
    MessageRefusedError,
    ModelError,
    ModelRefusedError,
    ModelSetupError,
    ModelUnavailableError,
    ToolError,
    ToolInputError,
    ToolUnavailableError,
    TurnCancelledError,
    TurnFailedError,
)
from tests.requirements import requirement


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


@requirement("temporal.retry-policy")
def test_only_what_is_away_is_worth_a_retry() -> None:
    """The caller's fault stays the caller's fault. (ours)"""
    for final in (ToolInputError("wrong"), ModelRefusedError("no"), ModelSetupError("no key"), ChatBusyError("full")):
        assert as_application_error(final).non_retryable
    assert not as_application_error(ToolUnavailableError("away")).non_retryable


@requirement("temporal.retry-policy")
def test_the_wait_that_a_provider_asked_for_is_kept() -> None:
    """Temporal waits as long before the next try. (ours)"""
    error = as_application_error(ModelUnavailableError("busy", retry_after=timedelta(seconds=7)))

    assert (error.non_retryable, error.next_retry_delay) == (False, timedelta(seconds=7))
    assert as_application_error(ModelUnavailableError("busy")).next_retry_delay is None


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (ToolInputError("wrong"), ApplicationErrorCategory.BENIGN),
        (ChatBusyError("full"), ApplicationErrorCategory.BENIGN),
        (ToolUnavailableError("away"), ApplicationErrorCategory.UNSPECIFIED),
        (ModelRefusedError("no key"), ApplicationErrorCategory.UNSPECIFIED),
    ],
)
def test_what_a_caller_did_wrong_is_no_warning_of_the_worker(
    error: ToolError | ModelError | ChatError, category: ApplicationErrorCategory
) -> None:
    """Its log is for what is broken. (ours)"""
    assert as_application_error(error).category is category
