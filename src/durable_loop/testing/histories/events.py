"""One event of a history, in words: its kind, and what it says."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from durable_loop.testing.histories.payloads import recorded_values

__all__ = ["attributes_of", "kind_of", "said"]

_TYPES: Final = ("activityType", "workflowType")
_WORDS: Final = ("signalName", "markerName", "startToFireTimeout", "cause")
# What a marker of the SDK tells and no other event: what a local activity returned, which patch was taken.
_TOLD_BY_MARKER: Final = {"core_local_activity": "result", "core_patch": "patch-data"}


def kind_of(event: Mapping[str, Any]) -> str:
    """Return its kind: `activity task scheduled`."""
    return event["eventType"].removeprefix("EVENT_TYPE_").replace("_", " ").lower()


def attributes_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is particular to its kind."""
    none: Mapping[str, Any] = {}
    return next((value for key, value in event.items() if key.endswith("EventAttributes")), none)


def said(attributes: Mapping[str, Any]) -> Iterator[str]:
    """Yield what it says: names, then values as JSON with their keys in order, then a failure's message."""
    for key in _TYPES:
        if key in attributes:
            yield attributes[key]["name"]
    for key in _WORDS:
        if key in attributes:
            yield str(attributes[key])
    request = attributes.get("acceptedRequest", {})
    if request:
        yield request["meta"]["updateId"]
        yield request["input"]["name"]
    marked = _TOLD_BY_MARKER.get(attributes.get("markerName", ""))
    outcome = attributes.get("outcome", {})
    for payloads in (
        request.get("input", {}).get("args"),
        attributes.get("input"),
        attributes.get("result"),
        outcome.get("success"),
        attributes["details"].get(marked) if marked else None,
    ):
        yield from _values(payloads)
    for field, payload in sorted(attributes.get("upsertedMemo", {}).get("fields", {}).items()):
        yield field
        yield from _values({"payloads": [payload]})
    if target := attributes.get("workflowExecution", {}).get("workflowId"):
        yield target
    if failure := attributes.get("failure") or outcome.get("failure"):
        yield failure.get("message", "")


def _values(payloads: Mapping[str, Any] | None) -> Iterator[str]:
    for value in recorded_values(payloads):
        yield json.dumps(value, ensure_ascii=False, sort_keys=True)
