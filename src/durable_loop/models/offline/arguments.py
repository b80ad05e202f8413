"""Fills a tool's slots from a user's words; what the words do not say stays missing and is never made up."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from durable_loop.models.offline.clause import PREPOSITIONS, Clause, Known, Span
from durable_loop.models.offline.offers import Kind, Offer, Slot
from durable_loop.models.offline.quantities import assign, fits
from durable_loop.models.offline.words import STOP_WORDS, TIME_WORDS, concepts, is_capital, spaced, stem

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
        item_type = items.get("type") if isinstance(items, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
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
        for said, telling in _strings(slot, offer, clause, filling, known):
            value = _acceptable(slot, said.value) if filling.is_free(said.start, said.end) else None
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


Finding = tuple[Span, bool]


def _strings(slot: Slot, offer: Offer, clause: Clause, filling: Filling, known: Known) -> Iterator[Finding]:
    """Yield candidates for a string slot, best first, and whether their very form speaks for the tool."""
    yield from _by_kind(slot, clause, known)
    if slot.kind in {Kind.EXPRESSION, Kind.TICKER}:
        return
    yield from ((said, False) for said in clause.quotations)
    yield from ((said, False) for said in _labelled(slot, clause, known))
    if slot.kind is Kind.TEXT:
        yield from ((said, False) for said in _remainder(slot, offer, clause, filling))
    elif slot.kind is not Kind.PLACE:
        yield from ((said, False) for said in _named(clause, known))
        yield from ((said, False) for said in _matching_pattern(slot, clause, known))


def _by_kind(slot: Slot, clause: Clause, known: Known) -> Iterator[Finding]:
    match slot.kind:
        case Kind.EXPRESSION if clause.expression:
            yield Span(clause.expression.text, clause.expression.start, clause.expression.end), True
        case Kind.TICKER:
            yield from _tickers(clause, known)
        case Kind.CODE:
            yield from ((said, True) for said in _codes(clause))
        case Kind.PLACE:
            yield from ((said, False) for said in _places(clause, known))
        case _:
            return


# In capitals, and no ticker.
_ACRONYMS: Final = frozenset(
    "a i ok us uk eu usa un ai api ceo cfo usd eur gbp faq asap fyi tv pc it pm am btw lol omg id url pdf html".split()
)
_TICKER: Final = re.compile(r"[A-Z]{1,5}(?:\.[A-Z]{1,2})?")
_SMALL_TICKER: Final = re.compile(r"[a-z]{2,5}")
_TICKER_LEADS: Final = PREPOSITIONS | {"ticker", "symbol", "stock"}
_TICKER_TRAILS: Final = frozenset({"stock", "share", "shares", "ticker", "price"})


def _tickers(clause: Clause, known: Known) -> Iterator[Finding]:
    small: list[Span] = []
    for number, token in enumerate(clause.tokens):
        text = re.sub(r"['’]s$", "", token.text)  # noqa: RUF001 - what people type
        if token.lower in STOP_WORDS or token.lower in _ACRONYMS or known(token.lower):
            continue
        before = clause.words[number - 1] if number else ""
        after = clause.words[number + 1] if number + 1 < len(clause.words) else ""
        if _TICKER.fullmatch(text) and (len(text) > 1 or before in _TICKER_LEADS):
            yield Span(text, token.start, token.end), True
        elif _SMALL_TICKER.fullmatch(text) and (before in _TICKER_LEADS or after in _TICKER_TRAILS):
            small.append(Span(text.upper(), token.start, token.end))
    yield from ((said, False) for said in small if said.value.lower() not in TIME_WORDS)


_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*[-_][\w-]*\d[\w-]*|[A-Za-z]+\d[\w-]*")


def _codes(clause: Clause) -> Iterator[Span]:
    return (Span(token.text, token.start, token.end) for token in clause.tokens if _CODE.fullmatch(token.text))


def _places(clause: Clause, known: Known) -> Iterator[Span]:
    """Yield names after a preposition, other names, and at last small letters: "weather in paris", "weather paris"."""
    names = list(clause.names(known))
    yield from (name for number, name in names if number and clause.words[number - 1] in PREPOSITIONS)
    yield from (name for _, name in names)
    yield from _small_places(clause, known)


def _small_places(clause: Clause, known: Known) -> Iterator[Span]:
    number = 0
    while number < len(clause.words):
        last = number
        while last < len(clause.words) and _may_be_place(clause, last, known):
            last += 1
        if last > number and (
            number == 0 or clause.words[number - 1] in PREPOSITIONS or known(clause.words[number - 1])
        ):
            said = clause.span(number, last - 1)
            yield Span(said.value.title() if said.value.islower() else said.value, said.start, said.end)
        number = last + 1


def _may_be_place(clause: Clause, number: int, known: Known) -> bool:
    word = clause.words[number]
    return not (word in STOP_WORDS or word in TIME_WORDS or word in PREPOSITIONS or known(word) or word[0].isdigit())


def _named(clause: Clause, known: Known) -> Iterator[Span]:
    """Yield names: after a preposition first ("for Ada"), then any other, then codes."""
    names = list(clause.names(known))
    yield from (name for number, name in names if number and clause.words[number - 1] in PREPOSITIONS)
    yield from (name for number, name in names if number)
    yield from _codes(clause)
    yield from (name for number, name in names if not number)


_CONNECTIVES: Final = frozenset({"to", "is", "as", "named", "called", "be", "into"})
_FILLERS: Final = frozenset({"the", "a", "an", "number", "name", "key", "code", "id", "of", "new"})


def _labelled(slot: Slot, clause: Clause, known: Known) -> Iterator[Span]:
    """Yield what stands beside the slot's own name: "project to X", "room: X", "the X room"."""
    for number, word in enumerate(clause.words):
        if stem(word) not in slot.name_stems:
            continue
        yield from _after_label(clause, number)
        if number and is_capital(clause.tokens[number - 1].text) and not known(clause.words[number - 1]):
            yield next(
                (name for _, name in clause.names(known) if name.end == clause.tokens[number - 1].end),
                (clause.span(number - 1, number - 1)),
            )


def _after_label(clause: Clause, label: int) -> Iterator[Span]:
    number = label + 1
    connected = False
    while number < len(clause.words) and clause.words[number] in _CONNECTIVES | _FILLERS:
        connected |= clause.words[number] in _CONNECTIVES
        number += 1
    if number >= len(clause.words):
        return
    connected |= clause.between(number - 1, number).strip() in {"=", ":"}
    token = clause.tokens[number]
    telling = is_capital(token.text) or any(letter.isdigit() for letter in token.text)
    if telling or (connected and token.lower not in STOP_WORDS):
        last = number
        while (
            last + 1 < len(clause.tokens)
            and is_capital(token.text)
            and (is_capital(clause.tokens[last + 1].text) and clause.between(last, last + 1).isspace())
        ):
            last += 1
        yield clause.span(number, last)


# What comes before the words of a message: "send a note saying hi".
_SPEECH: Final = re.compile(r"\b(?:saying|that\s+says|reading|with\s+the\s+text)\b\s*|:\s+", re.IGNORECASE)


def _remainder(slot: Slot, offer: Offer, clause: Clause, filling: Filling) -> Iterator[Span]:
    """Yield what is left for free text: from after the tool's verb to the next claimed words."""
    speech = _SPEECH.search(clause.text)
    start = speech.end() if speech else _after_verb(slot, offer, clause)
    if start is None:
        return
    end = min((span.start for span in filling.taken if span.start > start), default=len(clause.text))
    said = re.sub(rf"\s+(?:{'|'.join(PREPOSITIONS)})\s*$", "", clause.text[start:end])
    said = said.strip(" \t\n.?!,;:\"'")
    if any(token not in STOP_WORDS for token in said.lower().split()):
        begin = clause.text.index(said, start)
        yield Span(said, begin, begin + len(said))


def _after_verb(slot: Slot, offer: Offer, clause: Clause) -> int | None:
    meanings = {concept for word in offer.name_stems for concept in concepts(word)}
    for number, word in enumerate(clause.words):
        word_stem = stem(word)
        if word_stem in offer.name_stems or meanings.intersection(concepts(word_stem)):
            number += 1
            while number < len(clause.words) and (
                clause.words[number] in _FILLERS | {"for", "this", "following"}
                or stem(clause.words[number]) in slot.name_stems | offer.name_stems
            ):
                number += 1
            return clause.tokens[number].start if number < len(clause.tokens) else None
    return None


def _matching_pattern(slot: Slot, clause: Clause, known: Known) -> Iterator[Span]:
    """Yield words that the schema's pattern admits; a pattern that cannot be used admits none."""
    if _pattern(str(slot.schema.get("pattern", ""))) is None:
        return
    for token in clause.tokens:
        if token.lower not in STOP_WORDS and not known(token.lower):
            yield Span(token.text, token.start, token.end)


# Groups that repeat, and many open-ended repeats, can take for ever on a hostile text: such patterns are not run.
_REPEATED_GROUP: Final = re.compile(r"\)[*+{]")
_OPEN_ENDED: Final = re.compile(r"[*+]|,\}")
_MAX_OPEN_ENDED: Final = 3
_MAX_MATCHED: Final = 60


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str] | None:
    if not text or _REPEATED_GROUP.search(text) or len(_OPEN_ENDED.findall(text)) > _MAX_OPEN_ENDED:
        return None
    try:
        return re.compile(text)
    except re.error:
        return None


def _acceptable(slot: Slot, value: str) -> str | None:
    """Return the value as the schema admits it (in capitals, if only so), or None."""
    shortest, longest = slot.schema.get("minLength", 1), slot.schema.get("maxLength", len(value))
    if not shortest <= len(value) <= longest:
        return None
    pattern = _pattern(str(slot.schema.get("pattern", "")))
    if pattern is None:
        return value
    if len(value) > _MAX_MATCHED:
        return None
    return next((form for form in (value, value.upper(), value.lower()) if pattern.search(form)), None)
