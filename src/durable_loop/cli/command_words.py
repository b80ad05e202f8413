"""What the commands within a chat say. Everything here is a function of its arguments.

A `look` is None where what reads the words is no terminal: its lines have no end.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from durable_loop.chat.messages import ChatStatus, ListedTool
from durable_loop.cli.fitting import folded
from durable_loop.cli.screen import on_one_line, printable
from durable_loop.cli.terminal import Look
from durable_loop.stack.messages import StackStatus

__all__ = [
    "cancelled",
    "chat_is",
    "commands",
    "compacting",
    "exported",
    "link",
    "model_is",
    "more_chats",
    "new_chat",
    "no_editor",
    "no_such_format",
    "nobody_to_ask",
    "not_begun",
    "nothing_asked",
    "parts_are",
    "resumed",
    "said_wrong",
    "takes_nothing",
    "tools",
    "unknown_command",
]

KEYS: Final = (
    "Alt-Enter or Ctrl-J begins another line, Ctrl-R searches what was typed, Tab completes, Ctrl-X Ctrl-E edits.",
    "Ctrl-C stops what is being answered; a second one, or Ctrl-D, leaves, and the chat stays.",
)
INDENT: Final = "  "
# Where a second column would be narrower, there is none.
LEAST: Final = 30


def commands(known: Sequence[tuple[str, str]], look: Look | None) -> str:
    """Return what there is to type."""
    second = max(len(usage) for usage, _ in known) + 2
    if _columns(look) - len(INDENT) - second >= LEAST:
        listed = "".join(_hanging(f"{usage:<{second}}{about}", look, indent=second) for usage, about in known)
    else:
        listed = "".join(_hanging(f"{usage}: {about}", look) for usage, about in known)
    return f"{listed}{''.join(_hanging(line, look, indent=0) for line in KEYS)}"


def _columns(look: Look | None) -> int:
    return look.columns if look is not None else sys.maxsize


def _hanging(words: str, look: Look | None, *, indent: int = 4) -> str:
    """Return them on lines that fit, the second and those after it further in; a long word stays whole."""
    rest = f"{INDENT}{' ' * indent}"
    return f"{folded(words, _columns(look), first=INDENT, rest=rest)}\n"


def unknown_command(name: str) -> str:
    """Return what is wrong with a line that begins like a command, and what to type."""
    return f"There is no command /{on_one_line(name)}: /help lists them. A space in front makes it a message.\n"


def takes_nothing(name: str) -> str:
    """Return what is wrong with a command that something follows."""
    return f"/{name} stands alone: nothing follows it. A space in front makes it a message.\n"


def no_such_format(word: str, formats: Iterable[str]) -> str:
    """Return what is wrong with what follows `/export`: it is no format, and it has no dot as a file has."""
    return f"There is no format {on_one_line(word)}: write {', '.join(formats)}, or a file's name with a dot."


def new_chat(model: str, *, left: str | None) -> str:
    """Return what is said where another chat begins; `left` is the one that was."""
    before = f"  ({on_one_line(left)} stays: /resume {on_one_line(left)})\n" if left else ""
    return f"{before}  (a new chat, with {on_one_line(model)})\n"


def more_chats(number: int) -> str:
    """Return that a list is cut."""
    return f"  ({number:,} more: durable-loop chats)\n" if number else ""


def resumed(chat_id: str) -> str:
    """Return what is said where another chat is gone on with."""
    return f"  ({on_one_line(chat_id)})\n"


def model_is(model: str, *, begun: bool, next_one: str | None) -> str:
    """Return the model of a chat, and of the next."""
    if next_one is None or next_one == model:
        return f"  (the model is {on_one_line(model)})\n"
    if begun:
        return (
            f"  (this chat keeps its model, {on_one_line(model)}; the next new one has {on_one_line(next_one)}: /new)\n"
        )
    return f"  (the model is {on_one_line(next_one)})\n"


def tools(listed: Sequence[ListedTool], look: Look | None) -> str:
    """Return the tools that the model is offered."""
    if not listed:
        return "  (the tools are known after the first message)\n"
    lines = (f"{on_one_line(tool.name)}{_of_tool(tool)}: {on_one_line(tool.about)}" for tool in listed)
    return "".join(_hanging(line, look) for line in lines)


def _of_tool(tool: ListedTool) -> str:
    does = "destroys" if tool.destroys else "writes" if tool.writes else ""
    said_of = ", ".join(word for word in (does, "asks first" if tool.asks_first else "") if word)
    return f" ({said_of})" if said_of else ""


def cancelled(number: int) -> str:
    """Return how many messages are cancelled."""
    if not number:
        return "  (nothing is being answered)\n"
    return f"  ({number} {'message is' if number == 1 else 'messages are'} cancelled)\n"


def compacting() -> str:
    """Return what becomes of the older turns."""
    return "  (the older turns are summarised as soon as nothing is being answered)\n"


def exported(path: Path) -> str:
    """Return where a chat was written to."""
    return f"  (the chat is in {path})\n"


def link(address: str | None) -> str:
    """Return where a chat is to be seen."""
    if address is None:
        return "  (where Temporal's web interface is, is not known: set DURABLE_LOOP_TEMPORAL_UI)\n"
    return f"  {on_one_line(address)}\n"


def not_begun() -> str:
    """Return why there is nothing to tell of a chat."""
    return "  (the chat begins with the first message)\n"


def chat_is(chat_id: str, status: ChatStatus) -> str:
    """Return how a chat is, in a line."""
    answered = f"{status.turns} {'message' if status.turns == 1 else 'messages'} answered"
    waiting = f", {len(status.waiting)} waiting" if status.waiting else ""
    now = ", one is being answered" if status.running is not None else ""
    tokens = f", {status.tokens:,} tokens" if status.tokens else ""
    return f"  {on_one_line(chat_id)}: {status.phase}, {on_one_line(status.model)}, {answered}{now}{waiting}{tokens}\n"


def parts_are(address: str, status: StackStatus) -> str:
    """Return how everything is that the chat needs, a line each."""
    parts = "".join(f"  {part.name}: {part.state}\n" for part in status.parts)
    return f"  Temporal at {address}\n{parts}"


def said_wrong(why: str) -> str:
    """Return why a command was not done; the chat goes on."""
    return f"  ({printable(why)})\n"


def nothing_asked() -> str:
    """Return that there is no question."""
    return "  (the agent asks nothing)\n"


def nobody_to_ask() -> str:
    """Return why a question stays open."""
    return "  (there is no terminal to ask at: the question stays open)\n"


def no_editor() -> str:
    """Return why nothing is edited."""
    return "  (there is no terminal to edit at)\n"
