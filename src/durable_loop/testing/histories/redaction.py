"""A history without what people and tools said, that still replays: for whoever may not see the chats themselves.

Every text, number and time in a payload is covered, and every text outside that is no name of Temporal's structure. The
same text gets the same cover everywhere, and an id that is made of others is made of their covers: what compares or
derives them goes on. Nothing stays because of what its field is called. Where a workflow steers by what is covered, its
replay says so, and is asked which fields have to stay readable: their words and small numbers then do, no sentences.
"""

import base64
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from weakref import WeakSet

from pydantic import BaseModel

from durable_loop import names
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.payloads import (
    encoding_of,
    is_payload,
    json_within,
    payloads_in,
    text_of,
    with_data,
    with_text,
)

__all__ = ["Redacted", "redacted", "redacted_to_replay"]

# Of models' protocols and of JSON schemas. They tell nothing, whoever says them.
_PROTOCOL: Final = frozenset(
    """
    assistant developer system tool user message text function function_call function_call_output reasoning refusal
    input_text output_text summary_text completed in_progress incomplete auto none required array boolean integer
    null number object string $defs $ref additionalProperties allOf anyOf const default description enum format
    items oneOf properties title type
    """.split()  # noqa: SIM905 - it is read as words
)
# Of what an MCP call and the Agents plugin's headers carry.
_IN_NO_CLASS: Final = frozenset({names.META_CHAT, names.META_IDEMPOTENCY_KEY, "spanId", "traceId", "traceName"})
# Outside of payloads: what Temporal or the code calls something. `type` and `source` are those of a failure.
_NAMES: Final = frozenset(
    """
    name normalName signalName markerName taskQueueName newTaskQueue type source nonRetryableErrorTypes sdkName
    sdkVersion namespace parentWorkflowNamespace endpoint service operation cronSchedule deploymentName buildId
    seriesName inheritedBuildId workerDeploymentName workerDeploymentVersion pinnedVersion
    parentPinnedWorkerDeploymentVersion
    """.split()  # noqa: SIM905 - it is read as words
)
# Outside of payloads: what somebody may have chosen, though it looks like a number or a time.
_CHOSEN: Final = frozenset(
    """
    message reason cause details control workflowId updateId protocolInstanceId acceptedRequestMessageId
    rejectedRequestMessageId operationToken fairnessKey businessId
    """.split()  # noqa: SIM905 - it is read as words
)
# Outside of payloads: made by the code of what it was given, and compared by a replay.
_MADE: Final = frozenset({"activityId", "acceptedRequestMessageId", "rejectedRequestMessageId"})
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DURATION: Final = re.compile(r"-?P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_OF_TEMPORAL: Final = re.compile(rf"[A-Z]+(_[A-Z0-9]+)+|\d+|[\d.]+s|{_TIME.pattern}|{_UUID.pattern}")
_CAUSE: Final = re.compile(r"[A-Z_]+_CAUSE_[A-Z_]+")
# The reference that stands for a model input in a history of ours; the hash of a short one could be guessed.
_REFERENCE: Final = re.compile(r"(durable-loop/model-input:\d+/\d+/)[0-9a-f]{64}")
_WORD: Final = re.compile(r"[A-Za-z_$][\w.-]{0,39}|#/\$defs/\w+")
_SMALL: Final = 999_999
# An id is no longer than Temporal's may be; it is made of others that are not too short, and numbers of two digits.
_LONGEST: Final = 1000
_WITHIN_IDS: Final = re.compile(r"[\W_]|(?<!\d)\d{1,2}(?!\d)")
_SHORTEST: Final = 3


@dataclass(frozen=True)
class Redacted:
    """A covered history, and the fields whose words and small numbers stayed readable, since it needs them."""

    history: RecordedHistory
    readable: Sequence[str]


def redacted(history: RecordedHistory, readable: Collection[str] = ()) -> RecordedHistory:
    """Return the history, scrubbed and covered, but for the words and small numbers of some fields."""
    return _cover(history, readable, _fields_of_code())[0]


async def redacted_to_replay(
    history: RecordedHistory,
    replays: Callable[[RecordedHistory], Awaitable[bool]],
    *,
    known: Collection[str] = (),
) -> Redacted | None:
    """Cover as much of a history as lets it replay; None where it does not, however many fields stay readable.

    `known` are fields that others of its kind needed: it is asked about them first.
    """
    code = _fields_of_code()
    answers: dict[frozenset[str], bool] = {}

    async def suffices(fields: Collection[str]) -> bool:
        asked = frozenset(fields)
        if asked not in answers:
            answers[asked] = await replays(_cover(history, asked, code)[0])
        return answers[asked]

    could_be = _cover(history, (), code)[1]
    for fields in ([], [field for field in could_be if field in known], could_be):
        if await suffices(fields):
            needed = await _least(fields, frozenset(), suffices)
            return Redacted(_cover(history, needed, code)[0], sorted(needed))
    return None


async def _least(
    fields: Sequence[str], kept: frozenset[str], suffices: Callable[[Collection[str]], Awaitable[bool]]
) -> list[str]:
    """Return those of the fields that have to join the `kept` ones, asking about halves of them (QuickXplain)."""
    if await suffices(kept):
        return []
    if len(fields) == 1:
        return list(fields)
    one, other = fields[: len(fields) // 2], fields[len(fields) // 2 :]
    of_other = await _least(other, kept.union(one), suffices)
    return [*await _least(one, kept.union(of_other), suffices), *of_other]


def _cover(
    history: RecordedHistory, readable: Collection[str], code: frozenset[str]
) -> tuple[RecordedHistory, list[str]]:
    """Return the covered history, and the fields that could be readable."""
    content = history.scrubbed().as_json()
    run = history.attributes("workflowExecutionStarted")[0].get("firstExecutionRunId") or history.run_id
    workflow_id = f"workflow-{run.replace('-', '')[:12]}"
    cover = _Cover(content, (history.workflow_id, workflow_id), readable, code)
    cover.event(content)
    cover.know()
    return RecordedHistory(workflow_id, cover.event(content), is_redacted=True), sorted(cover.fields)


class _Cover:
    """Covers the values of one history; `fields` are those with values that could be readable."""

    def __init__(
        self, content: Mapping[str, Any], ids: tuple[str, str], readable: Collection[str], code: frozenset[str]
    ) -> None:
        self.fields: set[str] = set()
        self._covers = dict([ids])
        self._kept: dict[str, None] = {}
        self._met: dict[str, None] = {}
        self._children: dict[str, None] = {}
        self._readable = readable
        declared = frozenset(_declared(content))
        self._words = _PROTOCOL | declared | frozenset(_named(content))
        self._names = _PROTOCOL | declared | code | _IN_NO_CLASS

    def event(self, value: Any, key: str = "") -> Any:
        """Cover a part of a history: its payloads, and texts outside of them."""
        if isinstance(value, list):
            return [self.event(inner, key) for inner in cast("list[Any]", value)]
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            return self._payload(fields) if is_payload(fields) else self._fields(fields)
        if not isinstance(value, str) or key in _NAMES:
            return value
        if (_CAUSE if key in _CHOSEN else _OF_TEMPORAL).fullmatch(value):
            return value
        return self._made(value) if key in _MADE else self._numbered(value)

    def _fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("markerName") == "core_patch":
            return fields  # it holds the id of a patch
        covered = {name: self.event(inner, name) for name, inner in fields.items()}
        if fields.get("markerName") == "core_local_activity":
            covered["details"]["data"] = fields["details"]["data"]  # which activity it was
        if child := fields.get("startChildWorkflowExecutionInitiatedEventAttributes", {}).get("workflowId"):
            self._children.setdefault(child)
        return covered

    def _payload(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        text = text_of(payload)
        if text is None:
            # A message of protobuf may be empty; whatever else it is, its length stays.
            is_message = encoding_of(payload) == b"binary/protobuf"
            return with_data(payload, b"" if is_message else b"x" * len(base64.b64decode(payload["data"])))
        try:
            value = json.loads(text)
        except ValueError:
            return with_text(payload, "x" * len(text))
        return with_text(payload, json.dumps(self._json(value, ""), separators=(",", ":")))

    def _json(self, value: Any, field: str) -> Any:
        if isinstance(value, dict):
            inside = cast("dict[str, Any]", value)
            return {
                self._key(name, field): self._json(inner, f"{field}.{name if name in self._names else '*'}".lstrip("."))
                for name, inner in inside.items()
            }
        if isinstance(value, list):
            return [self._json(inner, field) for inner in cast("list[Any]", value)]
        if isinstance(value, str):
            return self._text(value, field)
        if isinstance(value, bool) or value is None:
            return value
        return value if self._stays(field, is_plain=abs(value) <= _SMALL) else json.loads(_digits(json.dumps(value)))

    def _key(self, name: str, field: str) -> str:
        if name in self._names or self._stays(field, is_plain=_WORD.fullmatch(name) is not None):
            return name
        return self._numbered(name)

    def _text(self, text: str, field: str) -> str:
        if text in self._words or not text.strip():
            return text
        if self._stays(field, is_plain=_is_plain(text)):
            self._kept.setdefault(text)
        if text in self._covers:
            return self._covers[text]
        within = json_within(text)
        if within is not None:
            return json.dumps(self._json(within, field))
        shaped = _shaped(text)
        if shaped is not None:
            return shaped
        return self._numbered(text) if len(text.split()) == 1 else re.sub(r"\S", "x", text)

    def _stays(self, field: str, *, is_plain: bool) -> bool:
        if is_plain:
            self.fields.add(field)
        return is_plain and field in self._readable

    def know(self) -> None:
        """Give each text that was met its cover, short ones first: ids are made of others.

        What is readable in one place is so in all: workflows compare.
        """
        self._covers = {text: text for text in self._kept} | self._covers
        for text in sorted((text for text in self._met if text not in self._children), key=len):
            left = self._made(text, "")
            is_made = left != text and not _WITHIN_IDS.sub("", left)
            self._covers.setdefault(text, self._made(text) if is_made else self._number(text))
        # A child's is what the code makes of what it was given: a replay compares it.
        for text in self._children:
            self._covers.setdefault(text, self._made(text))

    def _numbered(self, text: str) -> str:
        """Return a cover that no other text has; as long as the text, where there is room for its number."""
        self._met.setdefault(text)
        return self._covers.get(text, text)

    def _number(self, text: str) -> str:
        number = len(self._covers)
        return f"00000000-0000-4000-8000-{number:012}" if _UUID.fullmatch(text) else f"{number}".rjust(len(text), "x")

    def _made(self, text: str, instead: str | None = None) -> str:
        """Return an id with covers in the places of the texts that it is made of."""
        if len(text) > _LONGEST:
            return text
        known = sorted((known for known in self._covers if len(known) >= _SHORTEST and known in text), key=len)
        if not known:
            return text
        made_of = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, reversed(known)))})(?![^\W_])")
        return made_of.sub(lambda found: self._covers[found[0]] if instead is None else instead, text)


def _shaped(text: str) -> str | None:
    """Return the cover of what has to keep its form: times, numbers, references."""
    if _REFERENCE.fullmatch(text):
        return _REFERENCE.sub(rf"\g<1>{'0' * 64}", text)
    if _DATE.fullmatch(text):
        return "2000-01-01"
    if _TIME.fullmatch(text):
        return _TIME.sub(r"2000-01-01\g<1>00:00:00\g<4>", text)
    return _digits(text) if _NUMBER.fullmatch(text) or _DURATION.fullmatch(text) else None


def _digits(text: str) -> str:
    """Return a number, or what is written with some, of the same length: the first digit 1, the others 0."""
    mantissa, e, exponent = text.partition("e")
    first = re.sub(r"[1-9]", "1", re.sub(r"(?<=[1-9])[\d.]+", lambda found: re.sub(r"\d", "0", found[0]), mantissa))
    return first + e + exponent


def _is_plain(text: str) -> bool:
    if _NUMBER.fullmatch(text):
        return abs(float(text)) <= _SMALL
    return any(shape.fullmatch(text) for shape in (_WORD, _UUID, _DATE, _TIME, _DURATION))


def _named(content: Any) -> Iterator[str]:
    """Yield what is called something outside of payloads: activities, workflows, signals, updates, queues."""
    if isinstance(content, dict) and not is_payload(content):
        for key, inner in cast("dict[str, Any]", content).items():
            if key in _NAMES and isinstance(inner, str):
                yield inner
            yield from _named(inner)
    elif isinstance(content, list):
        for inner in cast("list[Any]", content):
            yield from _named(inner)


def _declared(content: Any) -> Iterator[str]:
    """Yield the fields that JSON schemas declare: those of tools' arguments."""
    for payload in payloads_in(content):
        text = text_of(payload)
        if text is not None and '"properties"' in text:
            yield from _properties(json.loads(text))


def _properties(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        for key in ("properties", "$defs"):
            if isinstance(fields.get(key), dict):
                yield from fields[key]
        for inner in fields.values():
            yield from _properties(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _properties(inner)


# There are thousands of classes, and few come between one history and the next.
_SEEN: Final = WeakSet[type]()
_FIELDS: Final = set[str]()


def _fields_of_code() -> frozenset[str]:
    """Return the fields of all classes that were ever loaded: keys that are none of them are data."""
    classes, left = set[type](), [object]
    while left:
        for each in type.__subclasses__(left.pop()):
            if each not in classes:
                classes.add(each)
                left.append(each)
    for each in classes.difference(_SEEN):
        _FIELDS.update(_fields_of(each))
        _SEEN.add(each)
    return frozenset(_FIELDS)


def _fields_of(each: type) -> Iterator[str]:
    yield from inspect.get_annotations(each)
    if issubclass(each, BaseModel):
        aliases = (field.serialization_alias or field.alias for field in each.model_fields.values())
        yield from (alias for alias in aliases if alias)
