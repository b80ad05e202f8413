"""What a stored history does not tell: the machine and the people of the run that wrote it, and secrets.

What replay needs stays: run ids above all, since `workflow.uuid4()` is seeded by them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from durable_loop.testing.histories.payloads import is_payload, text_of, with_text

__all__ = ["scrubbed", "telling"]

# Of the machine that recorded, and no matter to replay.
_LEFT_OUT: Final = frozenset({"identity", "requestId", "taskId", "stackTrace", "binaryChecksum"})
_SECRETS: Final[Mapping[str, re.Pattern[str]]] = {
    "an API key": re.compile(r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}"),
    "an access token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16})"),
    "an authorization header": re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{8,}=*"),
    "a password in an address": re.compile(r"(?<=://)[^\s/:@\"]+:[^\s/@\"]+(?=@)"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}
_MACHINE: Final[Mapping[str, re.Pattern[str]]] = {
    "a path of the machine that recorded it": re.compile(r"(?<![\w.-])/(?:home|root|work|Users|tmp)/|site-packages"),
    "an address of that machine": re.compile(r"\blocalhost\b|\b127\.0\.0\.1\b"),
    "the process that recorded it": re.compile(r"\b\d+@[\w.-]+"),
    "a stack trace": re.compile(r"Traceback \(most recent call last\)"),
}
_MARK: Final = "[scrubbed]"


def scrubbed(value: Any) -> Any:
    """Return a history (or a part of one, as JSON) without what tells of the machine that recorded it."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get("kind") == "TASK_QUEUE_KIND_STICKY":
            fields = {**fields, "name": "sticky"}  # made from the worker's identity
        if is_payload(fields):
            text = text_of(fields)
            return with_text(fields, _without_secrets(text)) if text is not None else fields
        return {key: scrubbed(inner) for key, inner in fields.items() if key not in _LEFT_OUT}
    if isinstance(value, list):
        return [scrubbed(inner) for inner in cast("list[Any]", value)]
    return _without_secrets(value) if isinstance(value, str) else value


def telling(history: Any) -> list[str]:
    """Return, in words, what a history (as JSON) tells and should not."""
    found = {
        words: None
        for text in _texts(history)
        for words, pattern in (*_SECRETS.items(), *_MACHINE.items())
        if pattern.search(text)
    }
    return [*found, *(f"{key!r}" for key in sorted(_keys(history) & _LEFT_OUT))]


def _without_secrets(text: str) -> str:
    for pattern in _SECRETS.values():
        text = pattern.sub(_MARK, text)
    return text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if is_payload(fields):
            yield text_of(fields) or ""
        else:
            for inner in fields.values():
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return fields.keys() | {key for inner in fields.values() for key in _keys(inner)}
    if isinstance(value, list):
        return {key for inner in cast("list[Any]", value) for key in _keys(inner)}
    return set()
