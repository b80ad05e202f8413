"""Payloads as JSON values: those of a history, and those that a converter makes now."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from temporalio.api.common.v1 import Payload

__all__ = ["payload_value", "recorded_values"]


def payload_value(payload: Payload) -> Any:
    """Return the JSON value of a payload; of any other encoding its data in base64, or None where there is none."""
    return _value(payload.metadata.get("encoding", b""), payload.data)


def recorded_values(payloads: Mapping[str, Any] | None) -> Sequence[Any]:
    """Return the values of `{"payloads": […]}` in a history's JSON."""
    return [
        _value(
            base64.b64decode(payload.get("metadata", {}).get("encoding", "")), base64.b64decode(payload.get("data", ""))
        )
        for payload in (payloads or {}).get("payloads", [])
    ]


def _value(encoding: bytes, data: bytes) -> Any:
    if encoding.startswith(b"json/"):
        return json.loads(data)
    return base64.b64encode(data).decode() or None
