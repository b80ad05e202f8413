"""Payloads as JSON: those of a history, and those that a converter makes now."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard, cast

from temporalio.api.common.v1 import Payload

__all__ = [
    "encoding_of",
    "is_payload",
    "json_within",
    "payload_value",
    "payloads_in",
    "recorded_values",
    "text_of",
    "with_data",
    "with_text",
]


def payload_value(payload: Payload) -> Any:
    """Return the JSON value of a payload; of any other encoding its data in base64, or None where there is none."""
    return _value(payload.metadata.get("encoding", b""), payload.data)


def recorded_values(payloads: Mapping[str, Any] | None) -> Sequence[Any]:
    """Return the values of `{"payloads": […]}` in a history's JSON."""
    listed: Sequence[Mapping[str, Any]] = (payloads or {}).get("payloads") or ()
    return [_value(encoding_of(payload), base64.b64decode(payload.get("data") or "")) for payload in listed]


def is_payload(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a part of a history's JSON is a payload with data."""
    if not isinstance(value, dict):
        return False
    fields = cast("dict[str, Any]", value)
    return isinstance(fields.get("metadata"), dict) and isinstance(fields.get("data"), str)


def encoding_of(payload: Mapping[str, Any]) -> bytes:
    """Return how a payload in a history's JSON is encoded."""
    return base64.b64decode(payload.get("metadata", {}).get("encoding", ""))


def text_of(payload: Mapping[str, Any]) -> str | None:
    """Return the JSON text of a payload in a history's JSON; None for any other encoding."""
    if not encoding_of(payload).startswith(b"json/"):
        return None
    return base64.b64decode(payload["data"]).decode(errors="replace")


def with_text(payload: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Return the payload with another text."""
    return with_data(payload, text.encode())


def with_data(payload: Mapping[str, Any], data: bytes) -> Mapping[str, Any]:
    """Return the payload with other data."""
    return {**payload, "data": base64.b64encode(data).decode()}


def json_within(text: str) -> Any:
    """Return what a text holds as JSON, the arguments of a tool call for one; None where it is no object or list."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def payloads_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every payload in a history's JSON, or in a part of it."""
    if is_payload(value):
        yield value
    elif isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from payloads_in(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from payloads_in(inner)


def _value(encoding: bytes, data: bytes) -> Any:
    if encoding.startswith(b"json/"):
        return json.loads(data)
    return base64.b64encode(data).decode() or None
