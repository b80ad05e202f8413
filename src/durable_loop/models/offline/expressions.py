"""Arithmetic in a user's words: finds "15 * 23", "2 plus 2", "12% of 80", "the sum of 3, 4 and 5".

A text is cut into lexemes, and the longest run of them that makes an expression is the
expression. Nothing is evaluated.

    expression = signed (operator signed)*
    signed     = ("-" | "+")* powered
    powered    = primary ("%" ["of" signed] | "squared" | "cubed")*
    primary    = number | "pi" | "(" expression ")" | function "(" expression ")" | "square root of" powered
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["NUMBER_WORDS", "Expression", "find_expression", "number_from_words"]

_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
NUMBER_WORDS: Final[dict[str, int]] = (
    {word: number for number, word in enumerate(_UNITS.split())}
    | {word: number * 10 for number, word in enumerate(_TENS.split(), start=2)}
    | _SCALES
)

_OPERATOR_WORDS: Final = {
    "multiplied by": "*",
    "times": "*",
    "divided by": "/",
    "to the power of": "**",
    "modulo": "%",
    "plus": "+",
    "minus": "-",
    "^": "**",
}
# One character for one, so that places in the text stay what they are.
_SIGNS: Final = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})  # noqa: RUF001 - what people type
_TIMES: Final = re.compile(r"(?<=[\d)\s])[xX](?=\s*[\d(])")

_WORD_NUMBER: Final = rf"\b(?:{'|'.join(NUMBER_WORDS)})\b"
_NUMBER: Final = rf"""
    # digits that stand alone: not in a code (A7), a version or an IP address (172.16.0.1)
    (?<![\w.]) (?: \d{{1,3}}(?:,\d{{3}})+ | \d+ )? (?: \.\d+ | (?<=\d) ) (?! \w | \.\d | ,\d{{3}} )
    # twenty-five, two hundred
    | {_WORD_NUMBER} (?: [\s-]+ {_WORD_NUMBER} )*
"""
_LEXEME: Final = re.compile(
    rf"""
      (?P<code>     \d{{4}}-\d\d-\d\d | [^\W\d]\w*-\d[\w-]* )
    | (?P<number>   {_NUMBER} )
    | (?P<root>     \b square \s+ root \s+ (?: of \b )? )
    | (?P<function> \b (?: abs | round | sqrt | log10 | log | exp | sin | cos | tan | floor | ceil ) (?= \s*\( ) )
    | (?P<constant> \b pi \b )
    | (?P<power>    \b squared \b | \b cubed \b )
    # "15 % 4" and "15%4" divide with rest; "5%" and "5% 10" are percent
    | (?P<operator> \*\* | // | [-+*/^] | (?<=\s)%(?=\s*\d) | %(?=\d)
                    | \b multiplied \s+ by \b | \b divided \s+ by \b | \b to \s+ the \s+ power \s+ of \b
                    | \b times \b | \b modulo \b | \b plus \b | \b minus \b )
    | (?P<percent>  % | \b percent \b )
    | (?P<open>     \( )
    | (?P<close>    \) )
    | (?P<of>       \b of \b )
    | (?P<gap>      \w+ | \S )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# "add 12 and 30", "the product of 6 and 9", "subtract 5 from 20": a verb or noun, then numbers.
_LISTED: Final = re.compile(
    rf"""
    \b (?P<verb> sum | total | add | product | multiply | difference | subtract | quotient | divide ) \b
    (?: \s+ (?: up | of | between | together | the | numbers? ) )*
    \s+ (?P<numbers> (?:{_NUMBER}) (?: (?: \s*,\s* | \s+ ) (?: (?:and|to|from|by|with) \s+ )? (?:{_NUMBER}) )+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LISTED_SIGNS: Final = {
    **dict.fromkeys(("sum", "total", "add"), "+"),
    **dict.fromkeys(("product", "multiply"), "*"),
    **dict.fromkeys(("difference", "subtract"), "-"),
    **dict.fromkeys(("quotient", "divide"), "/"),
}
_ONE_NUMBER: Final = re.compile(_NUMBER, re.VERBOSE | re.IGNORECASE)

# More than anyone types; keeps a hostile text ("((((…") from exhausting the stack and the clock.
_MAX_DEPTH: Final = 40
_MAX_STEPS: Final = 20_000


@dataclass(frozen=True)
class Expression:
    """An expression in usual notation, and where it was said."""

    text: str
    start: int
    end: int


def find_expression(text: str) -> Expression | None:
    """Return the longest expression with at least one operation, or None."""
    plain = _TIMES.sub("*", text.translate(_SIGNS))
    found = [*_expressions(plain), *_listed(plain)]
    return max(found, key=lambda expression: expression.end - expression.start, default=None)


def number_from_words(words: str) -> int:
    """Return the number that "twenty-five" or "two hundred" says."""
    total = current = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in {"thousand", "million"}:
            total, current = total + max(current, 1) * _SCALES[word], 0
        elif word == "hundred":
            current = max(current, 1) * _SCALES[word]
        else:
            current += NUMBER_WORDS[word]
    return total + current


def _digits(number: str) -> str:
    return number.replace(",", "") if number[0] in ".0123456789" else str(number_from_words(number))


def _listed(text: str) -> Iterator[Expression]:
    for match in _LISTED.finditer(text):
        verb = match["verb"].lower()
        numbers = [_digits(number.group()) for number in _ONE_NUMBER.finditer(match["numbers"])]
        if verb == "subtract" and re.search(r"\bfrom\b", match["numbers"], re.IGNORECASE):
            numbers.reverse()
        yield Expression(f" {_LISTED_SIGNS[verb]} ".join(numbers), match.start(), match.end())


@dataclass(frozen=True)
class _Lexeme:
    kind: str
    text: str
    start: int
    end: int


def _expressions(text: str) -> Iterator[Expression]:
    lexemes = [
        _Lexeme(match.lastgroup or "gap", match.group(), match.start(), match.end()) for match in _LEXEME.finditer(text)
    ]
    place, steps = 0, 0
    while place < len(lexemes) and steps < _MAX_STEPS:
        reader = _Reader(lexemes, place)
        said = reader.expression()
        if said is not None and reader.operations:
            yield Expression(said, lexemes[place].start, lexemes[reader.place - 1].end)
        steps += reader.steps
        place = max(reader.place, place + 1)


@dataclass
class _Reader:
    """A recursive-descent reader of the grammar above; each method returns None and goes back where it fails."""

    lexemes: list[_Lexeme]
    place: int
    operations: int = 0
    depth: int = 0
    steps: int = 0

    def _take(self, *kinds: str) -> str | None:
        self.steps += 1
        if self.place < len(self.lexemes) and self.lexemes[self.place].kind in kinds:
            self.place += 1
            return self.lexemes[self.place - 1].text.lower()
        return None

    def expression(self) -> str | None:
        """Read `signed (operator signed)*`; an operator with nothing after it is left alone."""
        left = self._signed()
        while left is not None:
            back = self.place, self.operations
            sign = self._take("operator")
            right = self._signed() if sign else None
            if sign is None or right is None:
                self.place, self.operations = back
                break
            self.operations += 1
            left = f"{left} {_OPERATOR_WORDS.get(' '.join(sign.split()), sign)} {right}"
        return left

    def _signed(self) -> str | None:
        back = self.place
        sign = ""
        while (taken := self._take("operator")) is not None:
            if taken not in {"-", "+"}:
                self.place = back
                return None
            sign += taken if taken == "-" else ""
        said = self._powered()
        if said is None:
            self.place = back
            return None
        return f"{'-' if len(sign) % 2 else ''}{said}"

    def _powered(self) -> str | None:
        if self.depth >= _MAX_DEPTH:
            return None
        self.depth += 1
        said = self._primary()
        while said is not None:
            if power := self._take("power"):
                self.operations += 1
                said = f"{said} ** {2 if power == 'squared' else 3}"
            elif self._take("percent"):
                said = self._percentage(said)
            else:
                break
        self.depth -= 1
        return said

    def _percentage(self, share: str) -> str:
        back = self.place
        whole = self._signed() if self._take("of") else None
        if whole is None:
            self.place = back
            return f"({share} / 100)"
        self.operations += 1
        return f"({share} / 100) * {whole}"

    def _primary(self) -> str | None:
        back = self.place
        if number := self._take("number"):
            return _digits(number)
        if constant := self._take("constant"):
            return constant
        said = self._root() if self._take("root") else self._group(self._take("function") or "")
        if said is None:
            self.place = back
        return said

    def _root(self) -> str | None:
        radicand = self._powered()
        self.operations += 1
        return None if radicand is None else f"{radicand} ** 0.5"

    def _group(self, function: str) -> str | None:
        if self._take("open") is None:
            return None
        inner = self.expression()
        if inner is None or self._take("close") is None:
            return None
        self.operations += bool(function)
        return f"{function}({inner})"
