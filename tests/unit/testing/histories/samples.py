"""Stored histories to try things on, and payloads to put into them."""

import base64
import copy
import json
from typing import Any

from durable_loop.testing import RecordedHistory
from tests.replay import reading
from tests.replay.reading import STORE

__all__ = ["STORE", "changed", "encoded", "event_of", "history"]


def history(name: str = "chat/local-tool") -> RecordedHistory:
    """Return a stored history."""
    return reading.history(name)


def changed(recorded: RecordedHistory, number: int, **attributes: Any) -> RecordedHistory:
    """Return a copy in which one event says something else."""
    copied = copy.deepcopy(dict(recorded.as_json()))
    event_of(copied, number).update(attributes)
    return RecordedHistory(recorded.workflow_id, copied)


def event_of(content: dict[str, Any], number: int) -> dict[str, Any]:
    """Return what an event says."""
    event = content["events"][number - 1]
    return next(value for key, value in event.items() if key.endswith("Attributes"))


def encoded(*values: Any) -> dict[str, Any]:
    """Return payloads as a history has them."""
    encoding = base64.b64encode(b"json/plain").decode()
    return {
        "payloads": [
            {"metadata": {"encoding": encoding}, "data": base64.b64encode(json.dumps(value).encode()).decode()}
            for value in values
        ]
    }
