"""Read facts from recorded histories."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from durable_loop.testing import HistoryStore, RecordedHistory
from durable_loop.testing.histories.payloads import payloads_in, text_of

__all__ = ["STORE", "history", "outcome", "payloads", "reason"]

STORE = HistoryStore(Path(__file__).parents[2] / "fixtures" / "histories")


@cache
def history(name: str) -> RecordedHistory:
    """Read a recorded history by the name it has in the manifest; nobody changes it."""
    return STORE.read(STORE.entry(name))


def payloads(value: Any) -> Iterator[str]:
    """Yield every payload in a history or in a part of one, decoded."""
    content = value.as_json() if isinstance(value, RecordedHistory) else value
    return (text for payload in payloads_in(content) if (text := text_of(payload)) is not None)


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
