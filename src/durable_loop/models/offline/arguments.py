"""Fills a tool's slots from a user's words; what the words do not say stays missing and is never made up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from durable_loop.models.offline.clause import Clause, Known, Span
from durable_loop.models.offline.offers import Kind, Offer, Slot
from durable_loop.models.offline.quantities import assign, fits
from durable_loop.models.offline.strings import acceptable, candidates
from durable_loop.models.offline.words import spaced, stem

__all__ = ["Filling", "fill", "nested"]

# How much a value of a telling form says for the tool that wants one.
_TELLING: Final = {Kind.EXPRESSION: 3.0, Kind.TICKER: 2.0, Kind.CODE: 1.0, Kind.CHOICE: 1.0, Kind.NUMBER: 0.7}
# The kinds that claim their words first; free text takes what is left.
_ORDER: Final = (
    Kind.CHOICE,
    Kind.BOOLEAN,
    Kind.EXPRESSION,
    Kind.CODE,
    Kind.TICKER,
    Kind.PLACE,
    Kind.NAME,
    Kind.NUMBER,
    Kind.LIST,
    Kind.TEXT,
)


@dataclass
class Filling:
    """What a clause says for a tool."""

    values: dict[Slot, Any] = field(default_factory=dict[Slot, Any])
    taken: list[Span] = field(default_factory=list[Span])
    evidence: float = 0.0

    def claim(self, slot: Slot, value: Any, *, start: int, end: int, evidence: float = 0.0) -> None:
        """Give the slot a value; its words are no other slot's."""
        self.values[slot] = value
        self.taken.append(Span("", start, end))
        self.evidence += evidence

    def is_free(self, start: int, end: int) -> bool:
        """Whether nobody has claimed any of these words."""
        return all(end <= span.start or span.end <= start for span in self.taken)


def fill(offer: Offer, clause: Clause, known: Known) -> Filling:
    """Find a value in the clause for as many slots of the tool as it has one for."""
    filling = Filling()
    slots = sorted(
        (slot for slot in offer.slots if slot.kind in _ORDER),
        key=lambda slot: (_ORDER.index(slot.kind), not slot.required),
    )
    for kind in _ORDER:
        wanted = [slot for slot in slots if slot.kind is kind]
        if kind is Kind.NUMBER:
            _fill_numbers(filling, clause, wanted)
        elif kind is Kind.LIST:
            _fill_lists(filling, clause, wanted)
        else:
            for slot in wanted:
                _fill_one(filling, clause, slot, offer, known)
    return filling


def nested(offer: Offer, values: Mapping[Slot, Any]) -> dict[str, Any]:
    """Return the arguments as the schema nests them, with the schema's own defaults where it insists on a value."""
    arguments: dict[str, Any] = {}
    for slot in offer.slots:
        if slot in values:
            value = values[slot]
        elif slot.required and slot.has_fallback:
            value = slot.schema.get("default")
        else:
            continue
        node = arguments
        for part in slot.path[:-1]:
            node = node.setdefault(part, {})
        node[slot.path[-1]] = value
    return arguments


def _fill_numbers(filling: Filling, clause: Clause, slots: list[Slot]) -> None:
    free = [quantity for quantity in clause.quantities if filling.is_free(quantity.start, quantity.end)]
    for slot, quantity in assign(clause, slots, free).items():
        evidence = _TELLING[Kind.NUMBER] if quantity.unit else 0.0
        filling.claim(slot, fits(slot, quantity), start=quantity.start, end=quantity.end, evidence=evidence)


def _fill_lists(filling: Filling, clause: Clause, slots: list[Slot]) -> None:
    """Fill a list of numbers, or of quoted strings."""
    for slot in slots:
        items = slot.schema.get("items")
        # A dict in a JSON schema has strings for keys.
        item_type = cast("dict[str, Any]", items).get("type") if isinstance(items, dict) else None
        if item_type in {"number", "integer"}:
            free = [said for said in clause.quantities if filling.is_free(said.start, said.end)]
            if free and (item_type == "number" or all(isinstance(said.value, int) for said in free)):
                filling.claim(slot, [said.value for said in free], start=free[0].start, end=free[-1].end)
        elif item_type == "string":
            quoted = [said for said in clause.quotations if filling.is_free(said.start, said.end)]
            if quoted:
                filling.claim(slot, [said.value for said in quoted], start=quoted[0].start, end=quoted[-1].end)


def _fill_one(filling: Filling, clause: Clause, slot: Slot, offer: Offer, known: Known) -> None:
    if slot.kind is Kind.CHOICE:
        _fill_choice(filling, clause, slot)
    elif slot.kind is Kind.BOOLEAN:
        _fill_boolean(filling, clause, slot)
    else:
        for said, telling in candidates(slot, offer, clause, filling.taken, known):
            value = acceptable(slot, said.value) if filling.is_free(said.start, said.end) else None
            if value is not None:
                evidence = _TELLING.get(slot.kind, 0.0) if telling else 0.0
                filling.claim(slot, value, start=said.start, end=said.end, evidence=evidence)
                return


def _fill_choice(filling: Filling, clause: Clause, slot: Slot) -> None:
    for choice in slot.choices:
        wanted = re.escape(spaced(str(choice))).replace(r"\ ", r"[\s_-]+")
        match = re.search(rf"(?<!\w){wanted}(?!\w)", clause.text, re.IGNORECASE)
        if match and filling.is_free(match.start(), match.end()):
            evidence = _TELLING[Kind.CHOICE]
            filling.claim(slot, choice, start=match.start(), end=match.end(), evidence=evidence)
            return


_NO: Final = frozenset({"no", "not", "without", "don't", "dont", "disable", "disabled", "off", "false"})


def _fill_boolean(filling: Filling, clause: Clause, slot: Slot) -> None:
    for number, word in enumerate(clause.words):
        if stem(word) in slot.name_stems:
            around = clause.words[max(0, number - 2) : number] + clause.words[number + 1 : number + 3]
            said = clause.tokens[number]
            filling.claim(slot, not _NO.intersection(around), start=said.start, end=said.end)
            return
