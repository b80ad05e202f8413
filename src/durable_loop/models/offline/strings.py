"""Candidates for a string slot: an expression, a ticker, a place, a code, a name, or free text.

Each finder yields the best candidate first. The schema has the last word on each (`acceptable`).
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from durable_loop.models.offline.clause import PREPOSITIONS, Clause, Known, Span
from durable_loop.models.offline.offers import Kind, Offer, Slot
from durable_loop.models.offline.words import STOP_WORDS, TIME_WORDS, concepts, is_capital, stem, word_set

__all__ = ["acceptable", "candidates"]

Finding = tuple[Span, bool]


def candidates(slot: Slot, offer: Offer, clause: Clause, taken: Sequence[Span], known: Known) -> Iterator[Finding]:
    """Yield candidates for a string slot, best first, and whether their very form speaks for the tool."""
    yield from _by_kind(slot, clause, known)
    if slot.kind in {Kind.EXPRESSION, Kind.TICKER}:
        return
    yield from ((said, False) for said in clause.quotations)
    yield from ((said, False) for said in _labelled(slot, clause, known))
    if slot.kind is Kind.TEXT:
        yield from ((said, False) for said in _remainder(slot, offer, clause, taken))
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
_ACRONYMS: Final = word_set(
    "a i ok us uk eu usa un ai api ceo cfo usd eur gbp faq asap fyi tv pc it pm am btw lol omg id url pdf html"
)
_TICKER: Final = re.compile(r"[A-Z]{1,5}(?:\.[A-Z]{1,2})?")
_SMALL_TICKER: Final = re.compile(r"[a-z]{2,5}")
_TICKER_LEADS: Final = PREPOSITIONS | {"ticker", "symbol", "stock"}
_TICKER_TRAILS: Final = frozenset({"stock", "share", "shares", "ticker", "price"})


def _tickers(clause: Clause, known: Known) -> Iterator[Finding]:
    small: list[Span] = []
    for number, token in enumerate(clause.tokens):
        text = re.sub(r"'s$", "", token.text)
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
        before = clause.tokens[number - 1].end if number else -1
        yield from (name for _, name in clause.names(known) if name.end == before)


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
        yield clause.span(number, _last_capital(clause, number))


def _last_capital(clause: Clause, first: int) -> int:
    """Return the end of a run of capitalised words with nothing but spaces between them."""
    last = first
    while is_capital(clause.tokens[last].text) and last + 1 < len(clause.tokens):
        if not is_capital(clause.tokens[last + 1].text) or not clause.between(last, last + 1).isspace():
            break
        last += 1
    return last


_LEADING: Final = _FILLERS | {"for", "this", "following"}
# What comes before the words of a message: "send a note saying hi".
_SPEECH: Final = re.compile(r"\b(?:saying|that\s+says|reading|with\s+the\s+text)\b\s*|:\s+", re.IGNORECASE)


def _remainder(slot: Slot, offer: Offer, clause: Clause, taken: Sequence[Span]) -> Iterator[Span]:
    """Yield what is left for free text: from after the tool's verb to the next claimed words."""
    speech = _SPEECH.search(clause.text)
    start = speech.end() if speech else _after_verb(slot, offer, clause)
    if start is None:
        return
    end = min((span.start for span in taken if span.start > start), default=len(clause.text))
    said = re.sub(rf"\s+(?:{'|'.join(PREPOSITIONS)})\s*$", "", clause.text[start:end])
    said = said.strip(" \t\n.?!,;:\"'")
    if any(token not in STOP_WORDS for token in said.lower().split()):
        begin = clause.text.index(said, start)
        yield Span(said, begin, begin + len(said))


def _after_verb(slot: Slot, offer: Offer, clause: Clause) -> int | None:
    """Return where the text begins after the tool's verb and its objects: "translate the text …"."""
    meanings = {concept for word in offer.name_stems for concept in concepts(word)}
    stems = [stem(word) for word in clause.words]
    verbs = (
        number for number, word in enumerate(stems) if word in offer.name_stems or meanings.intersection(concepts(word))
    )
    number = next(verbs, len(stems)) + 1
    skipped = slot.name_stems | offer.name_stems
    while number < len(stems) and (clause.words[number] in _LEADING or stems[number] in skipped):
        number += 1
    return clause.tokens[number].start if number < len(stems) else None


def _matching_pattern(slot: Slot, clause: Clause, known: Known) -> Iterator[Span]:
    """Yield words that the schema's pattern admits; a pattern that cannot be used admits none."""
    if _pattern(str(slot.schema.get("pattern", ""))) is None:
        return
    for token in clause.tokens:
        if token.lower not in STOP_WORDS and not known(token.lower):
            yield Span(token.text, token.start, token.end)


# Groups that repeat, and many repeats, can take for ever on a text made for it: such patterns are not run.
_REPEATED_GROUP: Final = re.compile(r"\)[*+{]")
_REPEAT: Final = re.compile(r"[*+{]")
_MAX_REPEATS: Final = 3
_MAX_MATCHED: Final = 60


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str] | None:
    if not text or _REPEATED_GROUP.search(text) or len(_REPEAT.findall(text)) > _MAX_REPEATS:
        return None
    try:
        return re.compile(text)
    except re.error:
        return None


def acceptable(slot: Slot, value: str) -> str | None:
    """Return the value as the schema admits it (in capitals, if only so), or None."""
    shortest, longest = slot.schema.get("minLength"), slot.schema.get("maxLength")
    if len(value) < (shortest if isinstance(shortest, int) else 1):
        return None
    if isinstance(longest, int) and len(value) > longest:
        return None
    pattern = _pattern(str(slot.schema.get("pattern", "")))
    if pattern is None:
        return value
    if len(value) > _MAX_MATCHED:
        return None
    return next((form for form in (value, value.upper(), value.lower()) if pattern.search(form)), None)
