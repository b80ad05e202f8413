"""Whether a JSON is a history, as Temporal writes one.

It is looked at where a history is read; whoever has one relies on it. A damaged history is no nondeterminism.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import ParseError
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

__all__ = ["MalformedHistoryError", "well_formed"]

# The types of events that Temporal has, each with the field that holds what is particular to it.
_ATTRIBUTES: Final[Mapping[str, str]] = {
    f"EVENT_TYPE_{field.name.removesuffix('_event_attributes').upper()}": field.json_name
    for field in HistoryEvent.DESCRIPTOR.oneofs_by_name["attributes"].fields
}
_WRITTEN_AS_TEXT: Final = "google.protobuf."  # times and durations
# What Temporal always writes, and whoever reads a history takes for granted.
_ALWAYS: Final[Mapping[str, Sequence[str]]] = {
    "workflowExecutionStarted": ("workflowType.name", "originalExecutionRunId"),
    "workflowExecutionContinuedAsNew": ("workflowType.name",),
    "workflowExecutionFailed": ("failure",),
    "workflowExecutionSignaled": ("signalName",),
    "workflowExecutionUpdateAccepted": ("acceptedRequest.meta.updateId", "acceptedRequest.input.name"),
    "workflowExecutionUpdateCompleted": ("acceptedEventId", "meta.updateId", "outcome"),
    "workflowTaskStarted": ("scheduledEventId",),
    "workflowTaskCompleted": ("scheduledEventId", "startedEventId"),
    "activityTaskScheduled": ("activityType.name",),
    "activityTaskStarted": ("scheduledEventId",),
    "activityTaskCompleted": ("scheduledEventId", "startedEventId"),
    "activityTaskFailed": ("scheduledEventId", "failure"),
    "activityTaskTimedOut": ("scheduledEventId", "failure"),
    "activityTaskCanceled": ("scheduledEventId",),
    "startChildWorkflowExecutionInitiated": ("workflowType.name",),
    "childWorkflowExecutionStarted": ("workflowExecution.workflowId", "workflowType.name"),
    "signalExternalWorkflowExecutionInitiated": ("signalName",),
    "markerRecorded": ("markerName",),
    "timerStarted": ("timerId",),
}
# The request of an update stands in only one of these.
_ADMITTED: Final = "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED"
_ACCEPTED: Final = "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED"
VALUE_CHARS: Final = 60


class MalformedHistoryError(ValueError):
    """A JSON is no history; says at which event."""


def well_formed(content: Any) -> Sequence[HistoryEvent]:
    """Return the events of a history as Temporal's replayer takes them.

    Raises:
        MalformedHistoryError: the content is no history, or one that was damaged.
    """
    fields = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    listed = fields.get("events")
    if not isinstance(listed, list) or not listed:
        raise MalformedHistoryError("it has no events")
    if not isinstance(fields.get("workflowId", ""), str):
        raise MalformedHistoryError("its workflowId is no text")
    events = cast("list[Any]", listed)
    for number, event in enumerate(events, start=1):
        _check_kind(number, event)
    if events[0]["eventType"] != "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED":
        raise MalformedHistoryError("event 1 is not the start of a workflow")
    parsed = _parsed(events)
    admits = any(event["eventType"] == _ADMITTED for event in events)
    for number, event in enumerate(events, start=1):
        _check_message(number, event, HistoryEvent.DESCRIPTOR)
        if not (admits and event["eventType"] == _ACCEPTED):
            _check_needed(number, event)
    return parsed


def _check_kind(number: int, event: Any) -> None:
    if not isinstance(event, dict):
        raise MalformedHistoryError(f"event {number} is no object")
    fields = cast("dict[str, Any]", event)
    if (id_ := fields.get("eventId")) != str(number):
        raise MalformedHistoryError(f'event {number} has the eventId {_shown(id_)}: they are "1", "2", … without gaps')
    kind = fields.get("eventType")
    if not isinstance(kind, str) or kind not in _ATTRIBUTES:
        raise MalformedHistoryError(f"event {number} has the eventType {_shown(kind)}, and no EVENT_TYPE_… of Temporal")
    if fields.get("eventTime") is None:
        raise MalformedHistoryError(f"event {number} has no eventTime")
    if not isinstance(fields.get(_ATTRIBUTES[kind]), dict):
        raise MalformedHistoryError(f"event {number} has no {_ATTRIBUTES[kind]}, though it is an {kind}")


def _parsed(events: Sequence[Any]) -> Sequence[HistoryEvent]:
    try:
        return WorkflowHistory.from_json("", {"events": events}).events
    except (ParseError, ValueError, LookupError, TypeError, AttributeError) as error:
        if len(events) == 1:
            raise MalformedHistoryError(f"event {events[0]['eventId']} cannot be read: {error}") from error
        for event in events:  # which one it is
            _parsed([event])
        raise


def _check_message(number: int, message: Mapping[str, Any], kind: Descriptor) -> None:
    """Look whether objects are where they belong, and whether payloads can be decoded.

    The parser takes a text in the place of an object for one whose fields are all unknown.
    """
    if kind is Payload.DESCRIPTOR:
        _check_payload(number, message)
    for name, value in message.items():
        field = kind.fields_by_camelcase_name.get(name)
        if value is None or field is None or (of := field.message_type) is None:
            continue
        if of.full_name.startswith(_WRITTEN_AS_TEXT):
            continue
        is_map = of.GetOptions().map_entry
        of_each = of.fields_by_name["value"].message_type if is_map else of
        if of_each is None:
            continue  # a map of texts
        inner = [value] if field.has_presence else list(value.values()) if is_map else value
        for each in cast("Sequence[Any]", inner):
            if not isinstance(each, dict):
                raise MalformedHistoryError(f"event {number} has {_shown(each)} in its {name}, which is no object")
            _check_message(number, cast("dict[str, Any]", each), of_each)


def _check_payload(number: int, payload: Mapping[str, Any]) -> None:
    metadata: Mapping[str, str] = payload.get("metadata") or {}
    try:
        data = base64.b64decode(payload.get("data") or "", validate=True)
        if base64.b64decode(metadata.get("encoding") or "", validate=True).startswith(b"json/"):
            json.loads(data)
    except ValueError as error:
        raise MalformedHistoryError(f"event {number} has a payload that cannot be decoded: {error}") from error


def _check_needed(number: int, event: Mapping[str, Any]) -> None:
    field = _ATTRIBUTES[event["eventType"]]
    for path in _ALWAYS.get(field.removesuffix("EventAttributes"), ()):
        if _lacks(event[field], path):
            raise MalformedHistoryError(f"event {number} has no {path} in its {field}")


def _lacks(value: Mapping[str, Any], path: str) -> bool:
    for part in path.split("."):
        if (below := value.get(part)) is None:
            return True
        value = below
    return False


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARS else f"{text[:VALUE_CHARS]}…"
