"""Payload drift: what this code would send differs from what a history holds, though the commands are the same.

Nothing breaks by it: an open chat goes on. But the model is asked something else, a tool gets other arguments, a
caller gets another answer; Temporal's replayer says nothing of it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, cast

from durable_loop.testing.histories.json_differences import as_words, json_differences
from durable_loop.testing.histories.sendings import Sending, SendingKind

__all__ = ["Difference", "differences", "in_words"]

_TEXTS: Final[Mapping[str, str]] = {"system_instructions": "instructions", "model_name": "model"}
# What the model is offered, by the key that tells one from the other.
_NAMED: Final[Mapping[str, tuple[str, str]]] = {"tools": ("tool", "name"), "handoffs": ("handoff", "tool_name")}
# Ids of spans, no input of the model.
_IGNORED: Final = frozenset({"tracing"})


@dataclass(frozen=True)
class Difference:
    """One difference: at which sending, in which part of it, and from what to what."""

    where: str
    what: str
    change: str

    def __str__(self) -> str:
        """Say it in one line, or a diff below one."""
        return f"{self.where}: {self.what} changed:{self.change}"


def in_words(found: Iterable[Difference]) -> str:
    """Write differences for a reader; the same one at several places is told once."""
    places: dict[tuple[str, str], list[str]] = {}
    for difference in found:
        places.setdefault((difference.what, difference.change), []).append(difference.where)
    return "\n".join(str(Difference(_listed(where), what, change)) for (what, change), where in places.items())


def differences(before: Sequence[Sending], now: Sequence[Sending]) -> list[Difference]:
    """Compare what was sent with what would be sent now, as far as the history goes."""
    found: list[Difference] = []
    numbers: Counter[tuple[SendingKind, str]] = Counter()
    for old, new in _pairs(before, now):
        numbers[old.kind, old.name] += 1
        where = _where(old, numbers[old.kind, old.name])
        parts = _model_call_parts(old, new) if old.calls_model else _parts(old, new)
        found += [Difference(where, what, change) for what, change in parts]
    return found


def _pairs(before: Sequence[Sending], now: Sequence[Sending]) -> Iterator[tuple[Sending, Sending]]:
    """Pair what has the same kind and name in the same order; what was sent and taken back at once is in no history."""
    for kind in SendingKind:
        old = [sending for sending in before if sending.kind is kind]
        new = [sending for sending in now if sending.kind is kind]
        if kind is SendingKind.UPDATE:  # named by their ids, and answered in any order
            by_id = {sending.name: sending for sending in new}
            yield from ((sending, by_id[sending.name]) for sending in old if sending.name in by_id)
            continue
        matcher = SequenceMatcher(None, [one.name for one in old], [one.name for one in new], autojunk=False)
        for match in matcher.get_matching_blocks():
            yield from zip(old[match.a : match.a + match.size], new[match.b : match.b + match.size], strict=True)


def _where(sending: Sending, number: int) -> str:
    match sending.kind:
        case SendingKind.ACTIVITY if sending.calls_model:
            return f"model call {number}"
        case SendingKind.NEXT_RUN | SendingKind.RESULT:
            return str(sending.kind)
        case SendingKind.UPDATE:
            return f"update {sending.name}"
        case _:
            return f"{sending.kind} {sending.name} ({number})"


def _parts(old: Sending, new: Sending) -> Iterator[tuple[str, str]]:
    what = "argument" if old.kind not in (SendingKind.UPDATE, SendingKind.RESULT) else "result"
    before, after = _single(old.values), _single(new.values)
    for path, was, is_now in json_differences(before, after):
        yield f"{what} {path}".strip(), as_words(was, is_now)


def _model_call_parts(old: Sending, new: Sending) -> Iterator[tuple[str, str]]:
    before, after = cast("tuple[dict[str, Any], dict[str, Any]]", (_single(old.values), _single(new.values)))
    for field in dict.fromkeys((*before, *after)):
        was, is_now = before.get(field), after.get(field)
        if field in _IGNORED or was == is_now:
            continue
        if field in _NAMED:
            kind, key = _NAMED[field]
            was, is_now = _by_name(was, key), _by_name(is_now, key)
            for path, one, other in json_differences(was, is_now):
                name, _, inner = path.partition(".")
                yield f"{kind} {name}{inner and ': '}{inner}", as_words(one, other)
            if list(was) != list(is_now) and was.keys() == is_now.keys():
                yield f"order of the {field}", as_words(list(was), list(is_now))
        elif field == "input" and new.model_input is not None:
            yield from _named_input_parts(old.model_input, new.model_input)
        else:
            for path, one, other in json_differences(was, is_now):
                yield (
                    f"{_TEXTS.get(field, field)}{path if path.startswith('[') else path and '.' + path}",
                    as_words(one, other),
                )


def _named_input_parts(before: str | None, now: str) -> Iterator[tuple[str, str]]:
    if before is None:
        yield "input", " the history holds its hash alone, and the old one cannot be told again from the events"
        return
    for path, was, is_now in json_differences(json.loads(before), json.loads(now), "input"):
        yield path, as_words(was, is_now)


def _by_name(offered: Any, key: str) -> dict[str, Any]:
    entries = cast("list[dict[str, Any]]", offered or [])
    return {entry[key]: {field: value for field, value in entry.items() if field != key} for entry in entries}


def _single(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _listed(where: Sequence[str]) -> str:
    return where[0] if len(where) == 1 else f"{where[0]} and {len(where) - 1} more"
