"""Columns of words as they fit a terminal. Everything here is a function of its arguments."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from durable_loop.cli.canvas import drawn_by_rich
from durable_loop.cli.terminal import Look

__all__ = ["fitted", "whole"]

Columns = Mapping[str, Sequence[str]]

# What is left at least of a text that is cut.
LEAST: Final = 8
GAP: Final = 2
# A table as wide as its words: what reads a pipe has no width.
ENDLESS: Final = Look(columns=1_000_000, plain=True, colours=False)


def fitted(columns: Columns, look: Look, *, texts: Collection[str], spared: Sequence[str]) -> str:
    """Return a table that fits the terminal: what can be spared is left out in turn, then texts are cut."""
    shown = dict(columns)
    for name in spared:
        if _room(shown, look.columns, texts) >= 0:
            break
        shown.pop(name, None)
    return _drawn(shown, texts, look)


def whole(columns: Columns) -> str:
    """Return a line for each row, nothing cut, below a line that names the columns."""
    return _drawn(columns, (), ENDLESS)


def _room(columns: Columns, width: int, texts: Collection[str]) -> int:
    """Return how many characters are left beside what has to be whole, and a few of each text."""
    least = [min(LEAST, _width(name, columns[name])) for name in columns if name in texts]
    kept = [_width(name, cells) for name, cells in columns.items() if name not in texts]
    return width - sum(kept) - sum(least) - GAP * (len(columns) - 1)


def _width(name: str, cells: Iterable[str]) -> int:
    return max(map(cell_len, (name, *cells)))


def _drawn(columns: Columns, texts: Collection[str], look: Look) -> str:
    drawn = Table(box=None, pad_edge=False)
    room = max(0, _room(columns, look.columns, texts))
    for name, cells in columns.items():
        natural = _width(name, cells)
        if name in texts:
            least = min(LEAST, natural)
            natural = min(natural, least + room)
            room -= natural - least
        drawn.add_column(name, no_wrap=True, overflow="ellipsis", width=natural)
    for row in zip(*columns.values(), strict=True):
        drawn.add_row(*map(Text, row))  # what models and users write is no markup
    return "".join(f"{line.rstrip()}\n" for line in drawn_by_rich([drawn], look).rstrip("\n").split("\n"))
