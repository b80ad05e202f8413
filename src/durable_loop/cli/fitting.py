"""The part of a line that has room; a character may need two columns, or none."""

from itertools import accumulate
from textwrap import fill
from typing import Final

from prompt_toolkit.utils import get_cwidth

__all__ = ["beginning", "end", "folded", "width", "wrapped"]

# Makes the sign before it an emoji, which is wider.
_AS_EMOJI: Final = "\ufe0f"
# The rest of a word that was cut in the middle is left out where it is no longer than this.
_LONG: Final = 16


def width(line: str) -> int:
    """Return how many columns a line needs, at most."""
    return sum(map(_width, line))


def beginning(line: str, columns: int) -> str:
    """Return as much of the beginning as has room in so many columns."""
    widths = accumulate(map(_width, line))
    return "".join(character for character, width in zip(line, widths, strict=True) if width <= columns)


def end(line: str, columns: int) -> str:
    """Return as much of the end as has room in so many columns, where possible from the beginning of a word on."""
    fitting = beginning(line[::-1], columns)[::-1]
    half, space, whole = fitting.partition(" ")
    return whole if space and fitting != line and len(half) <= _LONG else fitting


def wrapped(text: str, columns: int) -> str:
    """Return a text whose lines wrap between words, the rest of each as far in as its beginning; words stay whole.

    A line with an escape sequence was made to fit, and stays as it is.
    """
    lines = (line if "\x1b" in line or width(line) <= columns else _wrapped(line, columns) for line in text.split("\n"))
    return "\n".join(lines)


def folded(words: str, columns: int, *, first: str, rest: str) -> str:
    """Return words on lines that fit, `first` before the first line and `rest` before the others; words stay whole."""
    return fill(
        words, columns, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _wrapped(line: str, columns: int) -> str:
    words = line.lstrip(" ")
    indent = " " * (len(line) - len(words))
    return folded(words, columns, first=indent, rest=indent)


def _width(character: str) -> int:
    return 1 if character == _AS_EMOJI else get_cwidth(character)
