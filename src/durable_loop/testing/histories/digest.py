"""A history for people: one line an event."""

from collections.abc import Mapping
from typing import Any, Final

from durable_loop.testing.histories.events import attributes_of, kind_of, said
from durable_loop.testing.histories.history import RecordedHistory

__all__ = ["digest"]

VALUE_CHARS: Final = 160


def digest(history: RecordedHistory) -> str:
    """Return a history for people: number, kind and what is said of each event in a line; long values are cut."""
    scheduled: dict[str, str] = {}
    lines = [f"{history.workflow_type} {history.workflow_id}"]
    for event in history.events:
        attributes = attributes_of(event)
        scheduled[event["eventId"]] = attributes.get("activityType", {}).get("name", "")
        of = scheduled.get(attributes.get("scheduledEventId", ""), "")
        words = [kind_of(event), of, *map(_cut, said(attributes)), _attempt(attributes)]
        lines.append(f"{event['eventId']:>5} {' '.join(word for word in words if word)}")
    return "\n".join(lines) + "\n"


def _attempt(attributes: Mapping[str, Any]) -> str:
    attempt = attributes.get("attempt") or 1
    return f"attempt {attempt}" if attempt > 1 else ""


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= VALUE_CHARS else f"{text[:VALUE_CHARS]}… ({len(text):,} characters)"
