"""What a workflow sends: read from a history, and noted while this code replays it.

Temporal's replayer compares commands, not what is in them. Both sides are read here in one form: activities,
children, signals to others, the input of the next run, results of updates and of the workflow, each with its
values as JSON. The arguments of a local activity are in no history.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, NoReturn

from google.protobuf.json_format import MessageToDict
from temporalio import workflow
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleUpdateInput,
    Interceptor,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle, ChildWorkflowHandle

from durable_loop import names
from durable_loop.chat.model_input import ModelInputReference
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.model_inputs import has_model_input, named_model_input
from durable_loop.testing.histories.payloads import payload_value, recorded_values

__all__ = ["Sending", "SendingKind", "SendingNotes", "sendings_in"]


class SendingKind(StrEnum):
    """What is sent."""

    ACTIVITY = "activity"
    CHILD = "child workflow"
    SIGNAL = "signal"
    NEXT_RUN = "next run"
    UPDATE = "update"
    RESULT = "result"


@dataclass(frozen=True)
class Sending:
    """One thing that a workflow sends: the values are JSON.

    `name` is an activity's, workflow's or signal's type, or the id of an update. `to` is where it goes: the workflow
    that a signal is for; the task queue of an activity or a child, None where it is the workflow's own. `model_input`
    is the text that the values of a model call only name, where it is known.
    """

    kind: SendingKind
    name: str
    values: Sequence[Any]
    to: str | None = None
    model_input: str | None = None

    @property
    def calls_model(self) -> bool:
        """Whether it is an activity that calls a model, with what the model is asked."""
        is_activity = self.kind is SendingKind.ACTIVITY
        return is_activity and self.name in names.ACTIVITIES_MODEL_CALL and has_model_input(self.values)


def sendings_in(history: RecordedHistory) -> list[Sending]:
    """Return what a recorded workflow sent, in order."""
    own_queue = next(map(_task_queue, history.attributes("workflowExecutionStarted")), None)
    return [
        Sending(
            reading.kind,
            reading.name(attributes),
            reading.values(attributes),
            to if (to := reading.to(attributes)) != own_queue else None,
        )
        for event in history.events
        for kind, reading in _EVENTS.items()
        if (attributes := event.get(f"{kind}EventAttributes")) is not None
    ]


class SendingNotes(Interceptor):
    """Given to a replayer: notes by run id what the code sends now.

    A model input that is only named is fetched where its reference is none of the `known` ones.
    """

    def __init__(self, known: Collection[ModelInputReference] = ()) -> None:
        self.known = known
        self._noted: dict[str, list[Sending]] = defaultdict(list)

    def take(self, run_id: str) -> list[Sending]:
        """Return what a run sent, and forget it."""
        return self._noted.pop(run_id, [])

    def note(self, sending: Sending) -> None:
        """Note what the workflow that runs now sends, as its converter writes it."""
        self._noted[workflow.info().run_id].append(sending)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's signature
    ) -> type[WorkflowInboundInterceptor]:
        """Return a class that notes here."""
        here = self

        class Noting(_Inbound):
            notes = here

        return Noting


class _Inbound(WorkflowInboundInterceptor):
    notes: SendingNotes

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self.notes))

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002 - the SDK's signature
        return await self._noted(SendingKind.UPDATE, input.id, super().handle_update_handler(input))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's signature
        return await self._noted(SendingKind.RESULT, "", super().execute_workflow(input))

    async def _noted(self, kind: SendingKind, name: str, outcome: Awaitable[Any]) -> Any:
        try:
            result = await outcome
        except Exception as error:  # a worker says which ones fail a workflow (`workflow_failure_exception_types`)
            self.notes.note(Sending(kind, name, [_failure_of(error)]))
            raise
        self.notes.note(Sending(kind, name, _as_json([result])))
        return result


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, notes: SendingNotes) -> None:  # noqa: A002 - the SDK's signature
        super().__init__(next)
        self._notes = notes

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002 - the SDK's signature
        values = _as_json(input.args)
        sending = Sending(SendingKind.ACTIVITY, input.activity, values, _other_than_own(input.task_queue))
        text = named_model_input(values, self._notes.known) if sending.calls_model else None
        self._notes.note(replace(sending, model_input=text))
        return super().start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's signature
        self._notes.note(
            Sending(SendingKind.CHILD, input.workflow, _as_json(input.args), _other_than_own(input.task_queue))
        )
        return await super().start_child_workflow(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:  # noqa: A002 - the SDK's signature
        self._notes.note(Sending(SendingKind.SIGNAL, input.signal, _as_json(input.args), input.child_workflow_id))
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:  # noqa: A002 - the SDK's signature
        self._notes.note(Sending(SendingKind.SIGNAL, input.signal, _as_json(input.args), input.workflow_id))
        await super().signal_external_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:  # noqa: A002 - the SDK's signature
        name = input.workflow or workflow.info().workflow_type
        self._notes.note(Sending(SendingKind.NEXT_RUN, name, _as_json(input.args), _other_than_own(input.task_queue)))
        super().continue_as_new(input)


def _as_json(values: Sequence[Any]) -> list[Any]:
    return [payload_value(payload) for payload in workflow.payload_converter().to_payloads(values)]


def _other_than_own(task_queue: str | None) -> str | None:
    """Return a task queue that is another one; a replayer's own has a name of its own."""
    return task_queue if task_queue != workflow.info().task_queue else None


def _failure_of(error: Exception) -> dict[str, Any]:
    """Return what an error says in a history, as Temporal's own converter writes it."""
    written = Failure()
    DefaultFailureConverter().to_failure(error, workflow.payload_converter(), written)
    return _failure(MessageToDict(written))


def _failure(failure: Mapping[str, Any]) -> dict[str, Any]:
    application = failure.get("applicationFailureInfo", {})
    told = {"failure": failure.get("message", ""), "type": application.get("type")}
    if application.get("nonRetryable"):
        told["non_retryable"] = True
    if details := application.get("details"):
        told["details"] = recorded_values(details)
    return told


def _outcome(event: Mapping[str, Any]) -> Sequence[Any]:
    outcome = event["outcome"]
    if failure := outcome.get("failure"):
        return [_failure(failure)]
    return recorded_values(outcome.get("success"))


def _input(event: Mapping[str, Any]) -> Sequence[Any]:
    return recorded_values(event.get("input"))


def _nowhere(_event: Mapping[str, Any]) -> str | None:
    return None


def _task_queue(event: Mapping[str, Any]) -> str | None:
    return event.get("taskQueue", {}).get("name")


@dataclass(frozen=True)
class _Reading:
    """How a sending is read from the attributes of its event."""

    kind: SendingKind
    name: Callable[[Mapping[str, Any]], str]
    values: Callable[[Mapping[str, Any]], Sequence[Any]] = _input
    to: Callable[[Mapping[str, Any]], str | None] = _nowhere


_EVENTS: Final[Mapping[str, _Reading]] = {
    "activityTaskScheduled": _Reading(
        SendingKind.ACTIVITY, lambda event: event["activityType"]["name"], to=_task_queue
    ),
    "startChildWorkflowExecutionInitiated": _Reading(
        SendingKind.CHILD, lambda event: event["workflowType"]["name"], to=_task_queue
    ),
    "signalExternalWorkflowExecutionInitiated": _Reading(
        SendingKind.SIGNAL,
        lambda event: event["signalName"],
        to=lambda event: event.get("workflowExecution", {}).get("workflowId"),
    ),
    "workflowExecutionContinuedAsNew": _Reading(
        SendingKind.NEXT_RUN, lambda event: event["workflowType"]["name"], to=_task_queue
    ),
    "workflowExecutionUpdateCompleted": _Reading(SendingKind.UPDATE, lambda event: event["meta"]["updateId"], _outcome),
    "workflowExecutionCompleted": _Reading(
        SendingKind.RESULT, lambda _: "", lambda event: recorded_values(event.get("result"))
    ),
    "workflowExecutionFailed": _Reading(SendingKind.RESULT, lambda _: "", lambda event: [_failure(event["failure"])]),
}
