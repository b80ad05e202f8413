"""Payload drift: what this code would send differs from what a history holds, though the commands are the same.

Nothing breaks by it: an open chat goes on. But the model is asked something else, a tool gets other arguments, a
caller gets another answer; Temporal's replayer says nothing of it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Final, cast

from durable_loop.testing.histories.json_differences import ABSENT, as_words, json_differences
from durable_loop.testing.histories.sendings import Sending, SendingKind

__all__ = ["Difference", "differences", "drift_sha256", "in_words"]

_TEXTS: Final[Mapping[str, str]] = {"system_instructions": "instructions", "model_name": "model"}
# What the model is offered, by the key that tells one from the other.
_NAMED: Final[Mapping[str, tuple[str, str]]] = {"tools": ("tool", "name"), "handoffs": ("handoff", "tool_name")}
UNKNOWN: Final = "the history holds its hash alone, and the old one cannot be told again from the events"
OWN: Final = "(the workflow's own)"
# Ids of spans, no input of the model.
_IGNORED: Final = frozenset({"tracing"})


@dataclass(frozen=True)
class Difference:
    """One difference: at which sending, in which part of it, and from what to what (JSON, or `ABSENT`)."""

    where: str
    what: str
    before: Any
    now: Any

    def __str__(self) -> str:
        """Say it in one line, or a diff below one; long values are cut."""
        if self.before is UNKNOWN:
            return f"{self.where}: {self.what} changed: {UNKNOWN}"
        return f"{self.where}: {self.what} changed:{as_words(self.before, self.now)}"


def in_words(found: Iterable[Difference]) -> str:
    """Write differences for a reader; the same one at several places is told once."""
    places: dict[tuple[str, str], list[Difference]] = {}
    for difference in found:
        places.setdefault((difference.what, _exact(difference.before, difference.now)), []).append(difference)
    return "\n".join(str(replace(same[0], where=_listed([each.where for each in same]))) for same in places.values())


def drift_sha256(found: Iterable[Difference]) -> str:
    """Return what tells one drift from any other, to the character."""
    exact = [[each.where, each.what, _exact(each.before, each.now)] for each in found]
    return hashlib.sha256(json.dumps(exact).encode()).hexdigest()


def _exact(*values: Any) -> str:
    return json.dumps([{} if value is ABSENT else {"is": value} for value in values], sort_keys=True)


def differences(before: Sequence[Sending], now: Sequence[Sending]) -> list[Difference]:
    """Compare what was sent with what would be sent now, as far as the history goes."""
    found: list[Difference] = []
    numbers: Counter[tuple[SendingKind, str]] = Counter()
    for old, new in _pairs(before, now):
        numbers[old.kind, old.name] += 1
        where = _where(old, numbers[old.kind, old.name])
        inside = _model_call_parts(old, new) if old.calls_model else _parts(old, new)
        found += [Difference(where, *part) for part in (*_address(old, new), *inside)]
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


# What differs, from what, to what.
Part = tuple[str, Any, Any]


def _parts(old: Sending, new: Sending) -> Iterator[Part]:
    what = "argument" if old.kind not in (SendingKind.UPDATE, SendingKind.RESULT) else "result"
    for path, was, is_now in json_differences(_single(old.values), _single(new.values)):
        yield f"{what} {path}".strip(), was, is_now


def _address(old: Sending, new: Sending) -> Iterator[Part]:
    if old.to != new.to:
        yield "workflow" if old.kind is SendingKind.SIGNAL else "task queue", old.to or OWN, new.to or OWN


def _model_call_parts(old: Sending, new: Sending) -> Iterator[Part]:
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
                yield f"{kind} {name}{inner and ': '}{inner}", one, other
            if list(was) != list(is_now) and was.keys() == is_now.keys():
                yield f"order of the {field}", list(was), list(is_now)
        elif field == "input" and new.model_input is not None:
            yield from _named_input_parts(old.model_input, new.model_input)
        else:
            for path, one, other in json_differences(was, is_now):
                yield f"{_TEXTS.get(field, field)}{path if path.startswith('[') else path and '.' + path}", one, other


def _named_input_parts(before: str | None, now: str) -> Iterator[Part]:
    if before is None:
        yield "input", UNKNOWN, json.loads(now)
        return
    yield from json_differences(json.loads(before), json.loads(now), "input")


def _by_name(offered: Any, key: str) -> dict[str, Any]:
    """Return what is offered by its name; what the provider hosts has none, and is told by its place."""
    entries = cast("list[dict[str, Any]]", offered or [])
    return {
        str(entry.get(key, f"number {number}")): {field: value for field, value in entry.items() if field != key}
        for number, entry in enumerate(entries, start=1)
    }


def _single(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _listed(where: Sequence[str]) -> str:
    return where[0] if len(where) == 1 else f"{where[0]} and {len(where) - 1} more"
