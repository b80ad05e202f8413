"""The chats as a table, as plain lines and as JSON. Everything here is a function of its arguments."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from durable_loop.chat.listing import ListedChat
from durable_loop.cli import screen
from durable_loop.cli.terminal import Look

__all__ = ["NO_CHATS", "Said", "as_json", "plain", "table"]

NO_CHATS: Final = "There are no chats yet: durable-loop chat starts one.\n"
UNKNOWN: Final = "?"
# What may be cut, and what is left of it at least.
TEXTS: Final = frozenset({"title", "model", "last"})
LEAST: Final = 8
GAP: Final = 2
# A table as wide as its words: what reads a pipe has no width.
ENDLESS: Final = 1_000_000


@dataclass(frozen=True)
class Said:
    """What a chat says of itself; None where it does not answer."""

    turns: int | None = None
    last: str | None = None


def as_json(chats: Sequence[ListedChat], said: Sequence[Said] | None) -> list[Mapping[str, Any]]:
    """Return the chats with the same keys for each; null is what is not known."""
    return [{**_known(chat), **({} if said is None else _told(said[place]))} for place, chat in enumerate(chats)]


def table(chats: Sequence[ListedChat], said: Sequence[Said] | None, look: Look) -> str:
    """Return a table that fits the terminal: what can be spared is left out, long texts are cut, ids never."""
    columns = _columns(chats, said)
    for spared in ("end", "start", "model", "turns", "state"):
        if _room(columns, look.columns) >= 0:
            break
        columns.pop(spared, None)
    return _drawn(columns, width=look.columns, colours=look.colours, escapes=not look.plain)


def plain(chats: Sequence[ListedChat], said: Sequence[Said] | None) -> str:
    """Return the chats a line each, whole, below a line that names the columns."""
    return _drawn(_columns(chats, said), width=ENDLESS, colours=False, escapes=False)


def _known(chat: ListedChat) -> Mapping[str, Any]:
    return {
        "id": chat.chat_id,
        "title": chat.title,
        "model": chat.model,
        "state": chat.state,
        "start": chat.start.isoformat(),
        "end": chat.end.isoformat() if chat.end else None,
    }


def _told(said: Said) -> Mapping[str, Any]:
    return {"turns": said.turns, "last": said.last}


def _columns(chats: Sequence[ListedChat], said: Sequence[Said] | None) -> dict[str, list[str]]:
    columns = {
        "id": [chat.chat_id for chat in chats],
        "title": [chat.title or UNKNOWN for chat in chats],
        "model": [chat.model or UNKNOWN for chat in chats],
        "state": [chat.state for chat in chats],
        "start": [_moment(chat.start) for chat in chats],
        "end": [_moment(chat.end) if chat.end else "" for chat in chats],
    }
    if said is not None:
        columns["turns"] = [UNKNOWN if each.turns is None else str(each.turns) for each in said]
        columns["last"] = [each.last or UNKNOWN for each in said]
    return {name: [screen.on_one_line(cell) for cell in cells] for name, cells in columns.items()}


def _room(columns: Mapping[str, Sequence[str]], width: int) -> int:
    """Return how many characters are left beside what has to be whole, and a few of each text."""
    texts = [_width(name, columns[name]) for name in columns if name in TEXTS]
    whole = [_width(name, cells) for name, cells in columns.items() if name not in TEXTS]
    return width - sum(whole) - sum(min(LEAST, text) for text in texts) - GAP * (len(columns) - 1)


def _width(name: str, cells: Iterable[str]) -> int:
    return max(map(cell_len, (name, *cells)))


def _drawn(columns: Mapping[str, Sequence[str]], *, width: int, colours: bool, escapes: bool) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=escapes,
        color_system="standard" if colours else None,
        no_color=not colours,
        highlight=False,
        legacy_windows=False,
    )
    drawn = Table(box=None, pad_edge=False)
    room = max(0, _room(columns, width))
    for name, cells in columns.items():
        natural = _width(name, cells)
        if name in TEXTS:
            least = min(LEAST, natural)
            natural = min(natural, least + room)
            room -= natural - least
        drawn.add_column(name, no_wrap=True, overflow="ellipsis", width=natural)
    for row in zip(*columns.values(), strict=True):
        drawn.add_row(*map(Text, row))  # what models and users write is no markup
    console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().rstrip("\n").split("\n"))


def _moment(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
