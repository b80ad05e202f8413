"""A piece of a user's message, and the values that its words hold: numbers with units, quotations, names, codes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from durable_loop.models.offline.expressions import NUMBER_WORDS, Expression, find_expression, number_from_words
from durable_loop.models.offline.words import (
    STOP_WORDS,
    TIME_WORDS,
    Token,
    content_stems,
    is_capital,
    stem,
    tokens,
    word_set,
)

__all__ = ["CURRENCY", "PERCENT", "PREPOSITIONS", "Clause", "Known", "Quantity", "Span"]

Known = Callable[[str], bool]

CURRENCY: Final = "currency"
PERCENT: Final = "percent"

PREPOSITIONS: Final = frozenset({"in", "for", "at", "of", "near", "to", "from", "on", "into", "with", "by"})

_WORD_NUMBER: Final = rf"(?:{'|'.join(NUMBER_WORDS)})"
_QUANTITY: Final = re.compile(
    rf"""
    (?P<currency> [$€£¥] \s? )?
    (?: (?<![\w.]) (?P<sign>-)? (?P<digits> \d{{1,3}}(?:,\d{{3}})+ (?:\.\d+)? | \d+ (?:\.\d+)? | \.\d+ )
        \s? (?P<scale> (?:k|m|bn) \b | (?: thousand | million | billion ) \b )?
      | \b (?P<words> {_WORD_NUMBER} (?: [\s-]+ {_WORD_NUMBER} )* ) \b
    )
    (?! [\w-]*\d | \.\d )                # not the head of a code, a date or an IP address
    (?: \s? (?P<percent> % ) | [\s-]? (?P<unit> [^\W\d_]+ ) )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SCALES: Final = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9}
_UNITS: Final[dict[str, str]] = (
    dict[str, str]()
    | dict.fromkeys(("dollar", "dollars", "usd", "euro", "euros", "eur", "bucks", "pounds", "gbp"), CURRENCY)
    | dict.fromkeys(("percent", "pct", "percents"), PERCENT)
    | dict.fromkeys(("yr", "yrs", "y"), "years")
    | dict.fromkeys(("hr", "hrs", "h"), "hours")
    | dict.fromkeys(("min", "mins"), "minutes")
)

_QUOTED: Final = re.compile(
    r""" "(?P<double>[^"]+)" | “(?P<curly>[^”]+)” | «(?P<angle>[^»]+)» | (?<!\w)'(?P<single>[^']+)'(?!\w) """,
    re.VERBOSE,
)

# Inside names: Rio de Janeiro, Ludwig van Beethoven.
_PARTICLES: Final = word_set("de do da del di la las los le les du van von der den am an upon of the sur bei")
_MAX_QUANTITIES: Final = 20
_GLUE: Final = re.compile(r"\s+|,\s+|\.\s+")


@dataclass(frozen=True)
class Span:
    """A value and where it was said."""

    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Quantity:
    """A number with what it counts: money, percent, the stem of the word after it, or nothing."""

    value: int | float
    unit: str
    start: int
    end: int


@dataclass(frozen=True)
class Clause:
    """A piece of a message. Everything below is computed once."""

    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        """The words."""
        return tokens(self.text)

    @cached_property
    def words(self) -> list[str]:
        """The words in lower case."""
        return [token.lower for token in self.tokens]

    @cached_property
    def content(self) -> frozenset[str]:
        """The stems of the words that carry meaning."""
        return content_stems(self.words)

    @cached_property
    def expression(self) -> Expression | None:
        """The arithmetic in it."""
        return find_expression(self.text)

    @cached_property
    def quantities(self) -> list[Quantity]:
        """The numbers, in order; not more than anyone would say at once."""
        return [_quantity(match) for match in islice(_QUANTITY.finditer(self.text), _MAX_QUANTITIES)]

    @cached_property
    def quotations(self) -> list[Span]:
        """What stands in quotation marks."""
        return [
            Span(match[match.lastgroup or 0].strip(), match.start(), match.end())
            for match in _QUOTED.finditer(self.text)
        ]

    def between(self, left: int, right: int) -> str:
        """Return the text between two tokens, by their numbers."""
        return self.text[self.tokens[left].end : self.tokens[right].start]

    def span(self, first: int, last: int) -> Span:
        """Return the text from one token to another, without a possessive 's at its end."""
        start, end = self.tokens[first].start, self.tokens[last].end
        return Span(re.sub(r"'s$", "", self.text[start:end]), start, end)

    def names(self, known: Known) -> Iterator[tuple[int, Span]]:
        """Yield runs of capitalised words that are no words of the tools, with the number of their first token."""
        number = 0
        while number < len(self.tokens):
            if self._opens_name(number, known):
                last = self._end_of_name(number, known)
                yield number, self.span(number, last)
                number = last
            number += 1

    def _opens_name(self, number: int, known: Known) -> bool:
        word = self.words[number]
        if not is_capital(self.tokens[number].text) or word in STOP_WORDS or word in TIME_WORDS:
            return False
        return (number > 0 and self.words[number - 1] in PREPOSITIONS) or not known(word)

    def _end_of_name(self, first: int, known: Known) -> int:
        last = first
        for number in range(first + 1, len(self.tokens)):
            word, glue = self.words[number], self.between(number - 1, number)
            if not _GLUE.fullmatch(glue):
                break
            if is_capital(self.tokens[number].text) and word not in TIME_WORDS and word not in STOP_WORDS:
                if glue.startswith(".") and not self._abbreviated(number - 1):
                    break
                if self.tokens[number - 1].text.lower().endswith("'s") and known(word):
                    break
                last = number
            elif word not in _PARTICLES or "," in glue or number + 1 >= len(self.tokens):
                break
        return last

    def _abbreviated(self, number: int) -> bool:
        return len(self.tokens[number].text) <= len("St") or "." in self.tokens[number].text


def _quantity(match: re.Match[str]) -> Quantity:
    if words := match["words"]:
        value: int | float = number_from_words(words)
    else:
        value = float(match["digits"].replace(",", "")) * _SCALES.get((match["scale"] or "").lower(), 1)
        value = -value if match["sign"] else value
    value = int(value) if float(value).is_integer() else round(value, 10)
    word = (match["unit"] or "").lower()
    unit = _UNITS.get(word, word)
    if match["currency"]:
        unit = CURRENCY
    elif match["percent"]:
        unit = PERCENT
    elif unit not in {CURRENCY, PERCENT}:
        unit = "" if unit in STOP_WORDS or unit in PREPOSITIONS else stem(unit)
    return Quantity(value=value, unit=unit, start=match.start(), end=match.end())
