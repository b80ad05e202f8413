"""A reply as it is made: what happens now, the tools that were used, and the text, block by block."""

import re
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from durable_loop.chat.messages import PartialText, Reply, ToolCall
from durable_loop.cli import screen
from durable_loop.cli.markdown import complete_blocks, rendered
from durable_loop.cli.terminal import Look

__all__ = ["Answering", "GrowingReply", "WholeReply"]

_BLANK_LINES: Final = re.compile(r"\A(?:[^\S\n]*\n)+")
# Nothing more, or a blank line.
_NEXT_BLOCK: Final = re.compile(r"\s*\Z|[^\S\n]*\n[^\S\n]*\n")


class Answering(Protocol):
    """Shows one reply to the user."""

    def doing(self, words: str) -> None:
        """Say what happens now."""
        ...

    def used(self, calls: Sequence[ToolCall]) -> None:
        """Take the tool calls of the turn so far."""
        ...

    def hear(self, call: str, said: PartialText) -> None:
        """Take what an attempt of a model call said so far."""
        ...

    def finish(self, reply: Reply) -> None:
        """Take the reply."""
        ...


class WholeReply:
    """Writes the reply when it is there, and nothing else."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def doing(self, words: str) -> None:
        """Say nothing."""

    def used(self, calls: Sequence[ToolCall]) -> None:
        """Say nothing."""

    def hear(self, call: str, said: PartialText) -> None:
        """Say nothing."""

    def finish(self, reply: Reply) -> None:
        """Write the reply."""
        self._write(screen.reply(reply))


class GrowingReply:
    """Writes complete blocks at once and the rest when the reply is there, and nothing of it twice.

    The line that stands for the rest has the newest words of it.

    Another attempt of a call that was lost begins at the beginning: where it says the same, nothing is to be seen of
    that. Where it does not, or where the model said something before it called a tool, a line says that what was
    written is void, and the reply is begun anew.
    """

    def __init__(self, write: Callable[[str], object], wait: Callable[[str], None]) -> None:
        self._write = write
        self._wait = wait
        self._doing = ""
        self._source = ("", 0)  # the call and its attempt
        self._heard = ""  # what it said so far
        self._written = ""  # the part of the reply that is on the screen
        self._written_for = ""  # the call that it is from
        self._tools = 0  # how many have their line
        self._tools_before = 0  # and had it when something was written

    def doing(self, words: str) -> None:
        """Say it in the line that stands for the reply, or for the rest of it."""
        self._doing = words
        self._draw()

    def used(self, calls: Sequence[ToolCall]) -> None:
        """Write a line for each call that is over and has none yet, in their order."""
        for call in calls[self._tools :]:
            if not call.is_over:
                return
            self._source, self._heard = ("", 0), ""  # what called it has said all
            self._write(Look.now().dim(screen.used(call)) + "\n")
            self._tools += 1

    def hear(self, call: str, said: PartialText) -> None:
        """Write the blocks that are complete."""
        if self._source != (call, said.attempt):
            self._source, self._heard = (call, said.attempt), ""
        if said.start > len(self._heard):
            return  # a part was missed: it comes with the reply
        self._heard = self._heard[: said.start] + said.text
        heard = self._heard.lstrip()  # as the reply will be
        complete = heard[: complete_blocks(heard)]
        if complete and not self._written.startswith(complete):
            self._show(complete, lost=call == self._written_for)
            self._written_for = call
        self._draw()

    def finish(self, reply: Reply) -> None:
        """Write what is missing of the reply, and its notes; nothing stands for it any more."""
        self._wait("")
        self._show(reply.text, lost=self._tools == self._tools_before)
        self._write(screen.notes(reply))

    def _draw(self) -> None:
        columns = Look.now().columns - 1
        self._wait(screen.waiting(self._doing, begun=bool(self._written), heard=self._newer(), columns=columns))

    def _newer(self) -> str:
        """Return what was heard and is not on the screen."""
        heard, (call, _) = self._heard.lstrip(), self._source
        if heard.startswith(self._written):
            return heard[len(self._written) :]
        # Another attempt that has not come so far again, or says something else, has nothing to add yet.
        return heard if call != self._written_for else ""

    def _show(self, text: str, *, lost: bool) -> None:
        """Have this text on the screen, of which some may be there."""
        look = Look.now()
        rest = _after(self._written, text)
        if rest is None:
            self._write(look.dim(screen.begun_anew(lost=lost)) + "\n")
            self._written, rest = "", text
        if rest.strip() or not self._written:
            space = "\n" if self._written else ""
            block = _BLANK_LINES.sub("", screen.printable(rest)).rstrip()
            self._write(space + rendered(block, look, labelled=not self._written))
        self._written, self._tools_before = text, self._tools


def _after(written: str, text: str) -> str | None:
    """Return what follows in a text upon blocks that are written; None where it is another text.

    A reply has no blank lines at its end, as what was heard of it may have.
    """
    blocks = written.rstrip()
    if not text.startswith(blocks):
        return None
    rest = text[len(blocks) :]
    return rest if not blocks or _NEXT_BLOCK.match(rest) else None
