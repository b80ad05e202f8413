"""A history without what people and tools said, that still replays: for whoever may not see the chats themselves.

Every text in a payload becomes `x`es of the same length, but for what steers a workflow: identifiers that stand under
keys that are known to (a tool's name, the id of a call), times, and numbers. Whether the result still replays is for
the caller to check, since a workflow may steer by anything; what it sends is another thing of course.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, Final, cast

from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.payloads import is_payload, json_within, payloads_in, text_of, with_text

__all__ = ["redacted"]

_STEERING: Final = frozenset(
    {
        "$defs",
        "$ref",
        "approval",
        "cache_scope",
        "call_id",
        "chat_id",
        "code",
        "const",
        "currency",
        "default",
        "durable-loop/chat",
        "durable-loop/idempotency-key",
        "encoding",
        "enum",
        "error_type",
        "finish_reason",
        "format",
        "id",
        "key",
        "kind",
        "model",
        "model_name",
        "name",
        "phase",
        "question_id",
        "required",
        "result_type",
        "role",
        "source",
        "status",
        "tool",
        "tool_name",
        "turn_id",
        "type",
        "verdict",
    }
)
_IDENTIFIER: Final = re.compile(r"[\w./:#$@-]{1,128}")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?|-?P(?=.)[\dYMWDTHS.]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
# The reference that stands for a model input in a history of ours.
_REFERENCE: Final = re.compile(r"durable-loop/model-input:[0-9a-f/]+")
_LETTER: Final = re.compile(r"[^\W\d_]")
_DIGIT: Final = re.compile(r"\d")


def redacted(history: RecordedHistory) -> RecordedHistory:
    """Return the history, scrubbed, with every text covered that does not steer a workflow."""
    scrubbed = history.scrubbed().as_json()
    texts = [text for payload in payloads_in(scrubbed) if (text := text_of(payload)) is not None]
    steering = frozenset(word for text in texts for word in _steering_words(json.loads(text), ""))
    return RecordedHistory(history.workflow_id, _Cover(steering).history(scrubbed, ""), is_redacted=True)


class _Cover:
    """Covers every text but times, references and the words that steer, wherever these stand."""

    def __init__(self, steering: Collection[str]) -> None:
        self._steering = steering

    def history(self, value: Any, key: str) -> Any:
        """Walk through a history: payloads are covered, and the messages of failures."""
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            if is_payload(fields):
                text = text_of(fields)
                if text is None:
                    return fields
                return with_text(fields, json.dumps(self._json(json.loads(text)), separators=(",", ":")))
            return {name: self.history(inner, name) for name, inner in fields.items()}
        if isinstance(value, list):
            return [self.history(inner, key) for inner in cast("list[Any]", value)]
        return self._json(value) if key == "message" else value

    def _json(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._json(inner) for name, inner in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._json(inner) for inner in cast("list[Any]", value)]
        if not isinstance(value, str) or value in self._steering:
            return value
        if _TIME.fullmatch(value) or _REFERENCE.fullmatch(value):
            return value
        within = json_within(value)
        return json.dumps(self._json(within)) if within is not None else _covered(value)


def _steering_words(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield from _steering_words(inner, name)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _steering_words(inner, key)
    elif isinstance(value, str) and key in _STEERING and _IDENTIFIER.fullmatch(value):
        yield value


def _covered(text: str) -> str:
    return _DIGIT.sub("0", _LETTER.sub("x", text))
