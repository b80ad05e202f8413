"""What every tool call shares: safe ids, and sentences for whatever Temporal does."""

import re
from datetime import timedelta
from typing import cast

import pytest
from temporalio.api.common.v1 import GrpcStatus
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TerminatedError
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.boundary import as_application_error
from durable_loop.errors import ToolError, ToolInputError, ToolUnavailableError
from durable_loop.services.calls import Backing, is_missing_workflow, safe_id
from tests.requirements import requirement


@pytest.mark.parametrize("value", ["local", "chat-1/turn-2/3", "a" * 200, "user@example.com:7.x_y"])
def test_a_plain_id_stays_as_it_is(value: str) -> None:
    """Workflow ids can be read and typed (ours)."""
    assert safe_id(value) == value


@pytest.mark.parametrize(
    "value", ["", "a" * 201, "a b", "näme", "a\nb", "a#b", "../..\\", "\ud800", f"sha256-{'0' * 64}"]
)
@requirement("security.other-chats")
def test_any_other_id_is_hashed(value: str) -> None:
    """Ids come from outside; nothing else gets into a workflow id, and never the form of a hash (ours)."""
    assert re.fullmatch("sha256-[0-9a-f]{64}", safe_id(value))
    assert safe_id(value) != value


async def backing() -> Backing:
    client = await Client.connect("localhost:1", namespace="toy-namespace", lazy=True)
    toys = Backing(client, service="toy", task_queue="toys", timeout=timedelta(seconds=1.5))
    toys.connected.set()  # nothing is called in these tests
    return toys


def rpc_error(status: RPCStatusCode, *details: NamespaceNotFoundFailure) -> RPCError:
    grpc_status = GrpcStatus(code=status.value)
    for detail in details:
        grpc_status.details.add().Pack(detail)
    return RPCError("what Temporal says", status, grpc_status.SerializeToString())


def workflow_failure(cause: BaseException) -> WorkflowFailureError:
    return WorkflowFailureError(cause=cause)


def activity_failure(cause: BaseException) -> WorkflowFailureError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="toy",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = cause
    return WorkflowFailureError(cause=error)


WRONG = ToolInputError("There is no such toy.")
AWAY = ToolUnavailableError("The shop is closed.")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            TimeoutError(),
            ToolUnavailableError("The toy service did not answer within 1.5 s: its worker may be down. Come back."),
        ),
        (
            rpc_error(RPCStatusCode.DEADLINE_EXCEEDED),
            ToolUnavailableError("The toy service did not answer within 1.5 s: its worker may be down. Come back."),
        ),
        (
            rpc_error(RPCStatusCode.UNAVAILABLE),
            ToolUnavailableError("The toy service cannot be reached: its Temporal server does not answer. Come back."),
        ),
        (
            rpc_error(RPCStatusCode.NOT_FOUND, NamespaceNotFoundFailure(namespace="toy-namespace")),
            ToolUnavailableError("The toy service is not set up: Temporal has no namespace toy-namespace. Come back."),
        ),
        (
            rpc_error(RPCStatusCode.RESOURCE_EXHAUSTED),
            ToolUnavailableError("The toy service cannot take calls at the moment. Come back."),
        ),
        (
            WorkflowQueryFailedError("unknown query"),
            ToolUnavailableError("The toy service could not answer. Come back."),
        ),
        (activity_failure(as_application_error(WRONG)), WRONG),
        (activity_failure(as_application_error(AWAY)), AWAY),
        (workflow_failure(as_application_error(WRONG)), WRONG),
        (
            activity_failure(ApplicationError("secret of the house", type="KeyError")),
            ToolUnavailableError("The toy service failed at this call. Come back."),
        ),
        (
            workflow_failure(TerminatedError("by hand")),
            ToolUnavailableError("The toy service failed at this call. Come back."),
        ),
    ],
)
@requirement("security.inside")
async def test_whatever_goes_wrong_behind_a_call_becomes_a_sentence(error: Exception, sentence: ToolError) -> None:
    """Each says what is the matter and what to do; nothing of the inside gets out (ours)."""
    toys = await backing()

    with pytest.raises(type(sentence)) as failure:
        async with toys.answering(advice="Come back."):
            raise error

    assert str(failure.value) == str(sentence)
    assert failure.value.__cause__ is error


async def test_a_bug_is_not_taken_for_an_absent_service() -> None:
    """It is nobody's sentence (ours)."""
    toys = await backing()

    with pytest.raises(RuntimeError, match="a bug"):
        async with toys.answering():
            raise RuntimeError("a bug")


class Temporal:
    """Stands for a client and its service client; asked for its health, it raises `errors` before it answers."""

    def __init__(self, *errors: Exception) -> None:
        self.service_client = self
        self.tries = 0
        self._errors = list(errors)

    async def check_health(self, *, retry: bool) -> bool:
        """Answer, or fail."""
        assert retry
        self.tries += 1
        if self._errors:
            raise self._errors.pop(0)
        return True

    def toys(self) -> Backing:
        """Return a service behind it."""
        return Backing(cast("Client", self), service="toy", task_queue="toys", timeout=timedelta(seconds=30))


def not_there() -> RuntimeError:
    """Return what a client that connects lazily raises."""
    return RuntimeError("Failed client connect: Server connection error: …")


async def test_a_first_call_waits_for_a_temporal_that_is_starting() -> None:
    """As later ones do; a server may have been started together with its Temporal, or both been killed. (ours)"""
    temporal = Temporal(not_there(), not_there())
    toys = temporal.toys()

    for _ in range(2):
        async with toys.answering():
            assert temporal.tries == 3


@pytest.mark.parametrize("status", [RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED])
async def test_a_temporal_that_does_not_tell_its_health_takes_calls(status: RPCStatusCode) -> None:
    """It was reached; a proxy may pass on less than all of it. (ours)"""
    temporal = Temporal(rpc_error(status))
    toys = temporal.toys()

    for _ in range(2):
        async with toys.answering():
            assert temporal.tries == 1


async def test_a_bug_of_the_connection_is_not_taken_for_a_temporal_that_is_starting() -> None:
    """It is not tried again. (ours)"""
    temporal = Temporal(RuntimeError("a bug"))

    with pytest.raises(RuntimeError, match="a bug"):
        async with temporal.toys().answering():
            pytest.fail("there is no connection")
    assert temporal.tries == 1


def test_a_missing_namespace_is_not_a_missing_workflow() -> None:
    """Temporal answers both with the same status (ours)."""
    assert is_missing_workflow(rpc_error(RPCStatusCode.NOT_FOUND))
    assert not is_missing_workflow(rpc_error(RPCStatusCode.NOT_FOUND, NamespaceNotFoundFailure()))
    assert not is_missing_workflow(rpc_error(RPCStatusCode.UNAVAILABLE))
