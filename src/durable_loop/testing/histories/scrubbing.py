"""What a stored history does not tell: the machine and the people of the run that wrote it, and secrets.

Secrets are taken out, wherever they stand. What tells of the machine is taken out where Temporal put it, and told where
somebody said it: whoever stores the history has to look. What replay needs stays: run ids above all, since
`workflow.uuid4()` is seeded by them.
"""

import base64
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from durable_loop.testing.histories.payloads import (
    encoding_of,
    is_payload,
    json_within,
    text_of,
    with_data,
    with_text,
)

__all__ = ["scrubbed", "telling"]

# Of the machine that recorded, and no matter to replay.
_LEFT_OUT: Final = frozenset({"identity", "requestId", "taskId", "stackTrace", "binaryChecksum"})
_MARK: Final = "[scrubbed]"
_START: Final = r"(?:\b|(?<=\\n))"  # also of a line within JSON that is part of a text
_FIELD: Final = (
    r"(?:[\w-]*(?:password|passwd|passphrase|api[_-]?key|(?:client|app)[_-]?secret"
    r"|(?:secret|private|access)[_-]?key|(?:access|auth|refresh)[_-]?token)|secret|token|authorization)"
)
_SECRET_FIELD: Final = re.compile(_FIELD, re.IGNORECASE)
# What a match calls `kept` stays in front of the mark.
_SECRETS: Final[Mapping[str, re.Pattern[str]]] = {
    # Cut off without its end, it takes along what is behind it: that may be the key.
    "a private key": re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    ),
    "an API key": re.compile(
        _START + r"(?:(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|AIza[A-Za-z0-9_-]{30,})"
    ),
    "an access token": re.compile(
        _START + r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
        r"|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}|eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*)"
    ),
    "an authorization header": re.compile(
        _START + r"(?:(?i:bearer)\s+[A-Za-z0-9._~+/-]{8,}=*"
        # Base64 has letters of both cases, digits or its padding, in groups of four; "basic software" has not.
        r"|(?i:basic)\s+(?=\S*(?:[a-z][A-Z]|\d|=))(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![\w+/=]))"
    ),
    "a password in an address": re.compile(r"(?<=://)[^\s/:@\"]*:[^\s/@\"]+(?=@)"),
    "a secret in a field": re.compile(
        rf"(?i)(?P<kept>(?P<quote>\\*[\"']){_FIELD}(?P=quote)\s*:\s*(?P=quote))(?!\[scrubbed\]).+?(?<!\\)(?=(?P=quote))"
    ),
    # As environments, command lines and addresses have it.
    "a secret behind its name": re.compile(
        rf"(?i)(?P<kept>(?<![\w-]){_FIELD}=)(?!\[scrubbed\])[^\s&;,\\\"'`<>(){{}}]{{4,}}"
    ),
}
_MACHINE: Final[Mapping[str, re.Pattern[str]]] = {
    "a path of the machine that recorded it": re.compile(
        r"\bFile \\*[\"']?/[^\s\\\"',]+"  # in a stack trace
        r"|(?<![\w./:-])/(?:(?:home|Users|work)/[\w.-]+|root)/[^\s\\\"',]+"
        r"|\b(?:site-packages|pytest-of-)[^\s\\\"',]*"
    ),
    "an address of that machine": re.compile(r"\b127\.0\.0\.1:\d+"),
    # Temporal's identity of a worker: alone, or with a host that is no domain of mail.
    "the process that recorded it": re.compile(
        r"\A\d+@[\w-]+\Z"
        r"|(?<![\w.+@-])\d+@(?:[\w-]+\.)*(?:\w+(?:-\w+)+|[\w-]+\.(?:local|lan|internal|localdomain))(?![\w.-]*\w)"
    ),
    "a stack trace": re.compile(r"Traceback \(most recent call last\)"),
}

# Takes a text and the name of its field, if it has one; returns what is to stand there.
_Change = Callable[[str, str], str]


def scrubbed(value: Any) -> Any:
    """Return a history (or a part of one, as JSON) without what tells of the machine that recorded it."""
    return _changed(_without_machine(value), _without_secrets)


def telling(history: Any, *, allowed: Collection[str] = ()) -> list[str]:
    """Return, in words, what a history (as JSON) tells and should not, and in which events.

    `allowed` are texts that may stand there though they look like a machine's. Of a secret only its kind is told.
    """
    places: dict[str, list[str]] = {}
    for number, part in _parts(history):
        for words in dict.fromkeys(_told(part, allowed)):
            places.setdefault(words, []).append(number)
    return [f"{words}{_where(numbers)}" for words, numbers in places.items()]


def _without_machine(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if is_payload(fields):
            return fields
        if fields.get("kind") == "TASK_QUEUE_KIND_STICKY":
            fields = {**fields, "name": "sticky"}  # made from the worker's identity
        return {key: _without_machine(inner) for key, inner in fields.items() if key not in _LEFT_OUT}
    if isinstance(value, list):
        return [_without_machine(inner) for inner in cast("list[Any]", value)]
    return value


def _without_secrets(text: str, field: str) -> str:
    if _is_secret_field(text, field):
        return _MARK
    for pattern in _SECRETS.values():
        text = pattern.sub(lambda found: found.groupdict().get("kept", "") + _MARK, text)
    return text


def _is_secret_field(text: str, field: str) -> bool:
    return _SECRET_FIELD.fullmatch(field) is not None and text not in ("", _MARK)


def _parts(history: Any) -> Iterator[tuple[str, Any]]:
    """Yield the events with their numbers, and what is no event without one."""
    if not isinstance(history, dict) or "events" not in history:
        yield "", history
        return
    fields = cast("dict[str, Any]", history)
    yield "", {key: value for key, value in fields.items() if key != "events"}
    for event in fields["events"]:
        yield str(event.get("eventId", "")), event


def _told(part: Any, allowed: Collection[str]) -> Iterable[str]:
    texts: list[tuple[str, str]] = []

    def noted(text: str, field: str) -> str:
        texts.append((text, field))
        return text

    _changed(part, noted)
    if any(_is_secret_field(text, field) for text, field in texts):
        yield "a secret in a field"
    for words, pattern in _SECRETS.items():
        if any(pattern.search(text) for text, _ in texts):
            yield words
    for words, pattern in _MACHINE.items():
        for text, _ in texts:
            yield from (f"{words}, {found[0]}" for found in pattern.finditer(text) if found[0] not in allowed)
    yield from (f"{key!r}" for key in sorted(_keys(part) & _LEFT_OUT))


def _where(numbers: Iterable[str]) -> str:
    events = [number for number in numbers if number]
    return f" (event{'s' if len(events) > 1 else ''} {', '.join(events)})" if events else ""


def _changed(value: Any, change: _Change, field: str = "") -> Any:
    """Change every text, in payloads and in JSON that is itself a text as well; what does not change stays as it is."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if is_payload(fields):
            return _changed_payload(fields, change)
        return {change(key, ""): _changed(inner, change, key) for key, inner in fields.items()}
    if isinstance(value, list):
        return [_changed(inner, change, field) for inner in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    within = json_within(value)
    changed = _changed(within, change)
    return change(value, field) if changed == within else json.dumps(changed)


def _changed_payload(payload: Mapping[str, Any], change: _Change) -> Mapping[str, Any]:
    text = text_of(payload)
    if text is None:
        data = base64.b64decode(payload["data"]).decode("latin-1")  # any bytes, and back
        changed = change(data, "")
        # In another encoding its length counts: there a secret is told, and stays.
        is_text = encoding_of(payload) == b"binary/plain"
        return with_data(payload, changed.encode("latin-1")) if is_text and changed != data else payload
    try:
        value = json.loads(text)
    except ValueError:
        changed = change(text, "")
        return with_text(payload, changed) if changed != text else payload
    changed = _changed(value, change)
    return with_text(payload, json.dumps(changed, separators=(",", ":"))) if changed != value else payload


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if is_payload(fields):
            return set()
        return fields.keys() | {key for inner in fields.values() for key in _keys(inner)}
    if isinstance(value, list):
        return {key for inner in cast("list[Any]", value) for key in _keys(inner)}
    return set()
