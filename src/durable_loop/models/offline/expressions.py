"""Arithmetic in a user's words: finds "15 * 23", "2 plus 2", "12% of 80", "the sum of 3, 4 and 5".

A text is read into numbers, operators and parentheses; anything else is a gap. The longest run
without a gap that makes an expression is the expression. Nothing is evaluated.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["NUMBER_WORDS", "Expression", "find_expression"]

_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBER_WORDS: Final[dict[str, int]] = (
    {word: number for number, word in enumerate(_UNITS)}
    | {word: (number + 2) * 10 for number, word in enumerate(_TENS)}
    | {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
)

# What is said for an operator, longest first where one begins another.
_OPERATOR_WORDS: Final = {
    "multiplied by": "*",
    "multiplied with": "*",
    "divided by": "/",
    "to the power of": "**",
    "raised to": "**",
    "modulo": "%",
    "mod": "%",
    "plus": "+",
    "minus": "-",
    "times": "*",
    "over": "/",
}
_OPERATOR_SIGNS: Final = {"×": "*", "·": "*", "⋅": "*", "÷": "/", ":": "/", "−": "-", "–": "-", "^": "**", "x": "*"}  # noqa: RUF001 - what people type

Piece = Literal["number", "operator", "open", "close", "function", "percent", "of", "square", "cube", "gap"]


@dataclass(frozen=True)
class _Part:
    piece: Piece
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Expression:
    """An expression in usual notation, and where it was said."""

    text: str
    start: int
    end: int


def _alternatives(words: Iterator[str] | list[str]) -> str:
    return "|".join(re.escape(word) for word in words)


# A number stands alone: not in a code (DEMO-123), a date (2025-01-29), a version or an IP address (172.16.0.1).
_NUMBER: Final = r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?![\w]|\.\d|,\d{3})"
_LEXER: Final = re.compile(
    rf"""
      (?P<code>     \d{{4}}-\d\d-\d\d | [^\W\d]\w*-\d[\w-]* )
    | (?P<number>   {_NUMBER} | (?<=[\d)])(?=x\d)(?!) )
    | (?P<percent>  \s?% (?= \s+ of\b | \s*[-+*/)^] | \s*[?.!,]*\s*$ ) | \s percent\b )
    | (?P<root>     (?:the\s+)? square \s+ root \s+ (?:of\s+)? | \bsqrt\b )
    | (?P<function> \b (?:abs|round|min|max|log10|log|exp|sin|cos|tan|floor|ceil) (?=\s*\() | \bpi\b | π )
    | (?P<square>   \bsquared\b )
    | (?P<cube>     \bcubed\b )
    | (?P<operator> \*\* | // | [-+*/^×·⋅÷−–%] | \b (?:{_alternatives(list(_OPERATOR_WORDS))}) \b | (?<=[\d)\s])x(?=[\d(\s]) )
    | (?P<open>     \( )
    | (?P<close>    \) )
    | (?P<of>       \bof\b )
    | (?P<word>     \b (?:{_alternatives(list(NUMBER_WORDS))}) \b )
    | (?P<space>    \s+ )
    | (?P<gap>      \w+ | . )
    """,  # noqa: E501, RUF001 - a table; what people type
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
