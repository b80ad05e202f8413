"""Which number is meant for which slot: by unit, by the words around it, at last by order."""

from collections.abc import Iterable, Sequence
from typing import Final

from durable_loop.models.offline.clause import CURRENCY, PERCENT, Clause, Quantity
from durable_loop.models.offline.offers import Slot
from durable_loop.models.offline.words import stem

__all__ = ["assign", "fits"]


def _stems(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


_UNIT_WORDS: Final = {
    CURRENCY: _stems(
        "principal amount price cost dollar dollars usd eur money budget salary capital deposit payment fee total"
    ),
    PERCENT: _stems("rate percent percentage interest discount tip yield tax"),
}
_TIME_UNITS: Final = _stems("seconds minutes hours days nights weeks months years")
_FRACTION_WORDS: Final = _stems("fraction decimal")

# How many words before a number may speak for it.
_NEAR: Final = 4
# What a slot that nobody asked for needs before it is filled: a unit, or its very name.
_SURE: Final = 3.0


def assign(clause: Clause, slots: Sequence[Slot], free: Iterable[Quantity]) -> dict[Slot, Quantity]:
    """Give each slot at most one of the free quantities."""
    quantities = list(free)
    ranked = sorted(
        (
            (-score, place, order)
            for place, quantity in enumerate(quantities)
            for order, slot in enumerate(slots)
            if (score := _score(clause, slot, quantity)) > 0 and (slot.required or score >= _SURE)
        ),
    )
    chosen: dict[Slot, Quantity] = {}
    used: set[int] = set()
    for _, place, order in ranked:
        if slots[order] not in chosen and place not in used:
            chosen[slots[order]] = quantities[place]
            used.add(place)
    spare = [(place, quantity) for place, quantity in enumerate(quantities) if place not in used]
    for slot in slots:
        if slot.needed and slot not in chosen:
            fitting = next(((place, said) for place, said in spare if _score(clause, slot, said) >= 0), None)
            if fitting is not None:
                spare.remove(fitting)
                chosen[slot] = fitting[1]
    return chosen


def fits(slot: Slot, quantity: Quantity) -> int | float | None:
    """Return the number in the slot's type and measure, or None where it is not of that type."""
    value = quantity.value
    if quantity.unit == PERCENT and _wants_fraction(slot):
        value = round(value / 100, 12)
    if slot.type == "integer":
        return int(value) if float(value).is_integer() else None
    return value


def _wants_fraction(slot: Slot) -> bool:
    maximum = slot.schema.get("maximum")
    return bool(_FRACTION_WORDS & slot.description_stems) or (isinstance(maximum, int | float) and maximum <= 1)


def _score(clause: Clause, slot: Slot, quantity: Quantity) -> float:
    if fits(slot, quantity) is None:
        return -10.0
    return _unit_score(slot, quantity.unit) + _nearness(clause, slot, quantity)


def _unit_score(slot: Slot, unit: str) -> float:
    """Weigh a unit: one that the slot speaks of is for it, one that belongs to another measure is against it."""
    if not unit:
        return 0.0
    words = _UNIT_WORDS.get(unit, {unit})
    if words & slot.name_stems:
        return 4.0
    if words & slot.description_stems:
        return 2.0
    measured = any(measure & slot.name_stems for measure in (*_UNIT_WORDS.values(), _TIME_UNITS))
    return -4.0 if measured and (unit in _UNIT_WORDS or unit in _TIME_UNITS) else 0.0


def _nearness(clause: Clause, slot: Slot, quantity: Quantity) -> float:
    """Look at the words before the number, up to the number before it and its unit."""
    taken = max((other.end for other in clause.quantities if other.end <= quantity.start), default=0)
    before = [token for token in clause.tokens if taken <= token.start and token.end <= quantity.start][-_NEAR:]
    for distance, token in enumerate(reversed(before)):
        if stem(token.lower) in slot.name_stems:
            return 3.0 - distance * 0.5
        if stem(token.lower) in slot.description_stems:
            return 1.0 - distance * 0.2
    return 0.0
