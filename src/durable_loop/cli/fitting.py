"""The part of a line that has room; a character may need two columns, or none."""

from itertools import accumulate

from prompt_toolkit.utils import get_cwidth

__all__ = ["beginning", "end"]


def beginning(line: str, columns: int) -> str:
    """Return as much of the beginning as has room in so many columns."""
    widths = accumulate(get_cwidth(character) for character in line)
    return "".join(character for character, width in zip(line, widths, strict=True) if width <= columns)


def end(line: str, columns: int) -> str:
    """Return as much of the end as has room in so many columns."""
    return beginning(line[::-1], columns)[::-1]
