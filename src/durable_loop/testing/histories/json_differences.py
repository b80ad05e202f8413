"""Where two JSON values differ: one difference for each leaf, with its path."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any, Final, cast

__all__ = ["ABSENT", "as_words", "json_differences"]

ABSENT: Final = object()
SHOWN_CHARS: Final = 200
SHOWN_BEFORE: Final = 60  # of it, before the place where two texts part


def json_differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield `(path, before, after)` for each leaf that differs; `ABSENT` stands where there is nothing.

    The order of keys is no difference; that of a list is.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        old, new = cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after)
        for key in dict.fromkeys((*old, *new)):
            inner = f"{path}.{key}" if path else key
            yield from json_differences(old.get(key, ABSENT), new.get(key, ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list):
        left, right = cast("Sequence[Any]", before), cast("Sequence[Any]", after)
        for index in range(max(len(left), len(right))):
            yield from json_differences(
                left[index] if index < len(left) else ABSENT,
                right[index] if index < len(right) else ABSENT,
                f"{path}[{index}]",
            )
    elif before is not after and (isinstance(before, bool) is not isinstance(after, bool) or before != after):
        yield path, before, after


def as_words(before: Any, after: Any) -> str:
    """Say what became of a leaf: a text of several lines as a diff of them, anything else side by side."""
    if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        # Not `splitlines`: a line end more or less at the end is a difference.
        lines = unified_diff(before.split("\n"), after.split("\n"), "recorded", "now", lineterm="", n=1)
        return "\n" + "\n".join(f"    {line}" for line in lines)
    if before is ABSENT:
        return f" new: {_shown(_text(after))}"
    if after is ABSENT:
        return f" gone: {_shown(_text(before))}"
    old, new = _text(before), _text(after)
    same = next((place for place, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
    return f" {_shown(old, from_=same)} → {_shown(new, from_=same)}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shown(text: str, *, from_: int = 0) -> str:
    """Return a text, or what is around the place `from_` which it differs from."""
    if len(text) <= SHOWN_CHARS:
        return text
    start = max(0, from_ - SHOWN_BEFORE)
    end = start + SHOWN_CHARS
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))} ({len(text):,} characters)"
