"""Read facts from recorded histories."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from durable_loop.testing import HistoryStore, RecordedHistory

__all__ = ["STORE", "history", "outcome", "payloads", "reason"]


STORE = HistoryStore(Path(__file__).parents[2] / "fixtures" / "histories")


def history(name: str) -> RecordedHistory:
    """Read a recorded history by the name it has in the manifest."""
    return STORE.read(STORE.entry(name))


def payloads(value: Any) -> Iterator[str]:
    """Yield every payload in a history or in a part of one, decoded."""
    if isinstance(value, RecordedHistory):
        value = json.loads(value.for_replay().to_json())
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if "metadata" in fields and isinstance(fields.get("data"), str):
            yield base64.b64decode(fields["data"]).decode()
        for inner in fields.values():
            yield from payloads(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from payloads(inner)


def reason(started: Mapping[str, Any]) -> str | None:
    """Return the kind of time-out that ended the attempt before this one."""
    timeout = started.get("lastFailure", {}).get("timeoutFailureInfo", {})
    return timeout.get("timeoutType")


def outcome(completed: Mapping[str, Any]) -> str:
    """Return the text of an update's reply, or its failure with its type."""
    result = completed["outcome"]
    if "failure" in result:
        return f"{result['failure']['applicationFailureInfo']['type']}: {result['failure']['message']}"
    return json.loads(next(payloads(result)))["text"]
