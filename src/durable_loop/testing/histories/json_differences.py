"""Where two JSON values differ: one difference for each leaf, with its path."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any, Final, cast

__all__ = ["ABSENT", "as_words", "json_differences"]

ABSENT: Final = object()
SHOWN_CHARS: Final = 200


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
    """Say what became of a leaf: a long text as a diff of its lines, anything else side by side."""
    if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        lines = unified_diff(before.splitlines(), after.splitlines(), "recorded", "now", lineterm="", n=1)
        return "\n" + "\n".join(f"    {line}" for line in lines)
    if before is ABSENT:
        return f" new: {_shown(after)}"
    if after is ABSENT:
        return f" gone: {_shown(before)}"
    return f" {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}… ({len(text):,} characters)"
