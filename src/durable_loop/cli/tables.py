"""The chats as a table, as plain lines and as JSON. Everything here is a function of its arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from durable_loop.chat.listing import ListedChat
from durable_loop.cli import grid, screen
from durable_loop.cli.terminal import Look

__all__ = ["NO_CHATS", "Said", "as_json", "plain", "table"]

NO_CHATS: Final = "There are no chats yet: durable-loop chat starts one.\n"
UNKNOWN: Final = "?"
# What may be cut, and what is left out first where there is no room.
TEXTS: Final = frozenset({"title", "model", "last"})
SPARED: Final = ("end", "start", "model", "tokens", "turns", "state")


@dataclass(frozen=True)
class Said:
    """What a chat says of itself; None where it does not answer."""

    turns: int | None = None
    tokens: int | None = None
    last: str | None = None


def as_json(chats: Sequence[ListedChat], said: Sequence[Said] | None) -> list[Mapping[str, Any]]:
    """Return the chats with the same keys for each; null is what is not known."""
    return [{**_known(chat), **({} if said is None else _told(said[place]))} for place, chat in enumerate(chats)]


def table(chats: Sequence[ListedChat], said: Sequence[Said] | None, look: Look) -> str:
    """Return a table that fits the terminal: what can be spared is left out, long texts are cut, ids never."""
    return grid.fitted(_columns(chats, said), look, texts=TEXTS, spared=SPARED)


def plain(chats: Sequence[ListedChat], said: Sequence[Said] | None) -> str:
    """Return the chats a line each, whole, below a line that names the columns."""
    return grid.whole(_columns(chats, said))


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
    return {"turns": said.turns, "tokens": said.tokens, "last": said.last}


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
        columns["tokens"] = [UNKNOWN if each.tokens is None else f"{each.tokens:,}" for each in said]
        columns["last"] = [each.last or UNKNOWN for each in said]
    return {name: [screen.on_one_line(cell) for cell in cells] for name, cells in columns.items()}


def _moment(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
