"""A reply as it is made: what happens now, the tools that were used, and the text, block by block."""

from collections.abc import Callable, Sequence
from typing import Protocol

from durable_loop.chat.messages import PartialText, Reply, ToolCall
from durable_loop.cli import screen
from durable_loop.cli.markdown import complete_blocks, rendered
from durable_loop.cli.terminal import Look

__all__ = ["Answering", "GrowingReply", "WholeReply"]


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
        complete = self._heard[: complete_blocks(self._heard)]
        if complete and not self._written.startswith(complete):
            self._show(complete, lost=call == self._written_for)
            self._written_for = call
        self._draw()

    def finish(self, reply: Reply) -> None:
        """Write what is missing of the reply, and its notes; nothing stands for it any more."""
        self._wait("")
        self._show(reply.text, lost=False)
        self._write(screen.notes(reply))

    def _draw(self) -> None:
        # Where it says something else than the screen, or has not got so far again, there is nothing to add.
        newer = self._heard[len(self._written) :] if self._heard.startswith(self._written) else ""
        columns = Look.now().columns - 1
        self._wait(screen.waiting(self._doing, begun=bool(self._written), heard=newer, columns=columns))

    def _show(self, text: str, *, lost: bool) -> None:
        """Have this text on the screen, of which some may be there."""
        look = Look.now()
        if not text.startswith(self._written):
            self._write(look.dim(screen.begun_anew(lost=lost)) + "\n")
            self._written = ""
        block = text[len(self._written) :]
        if block.strip() or not self._written:
            space = "\n" if self._written else ""
            self._write(space + rendered(screen.printable(block).strip("\n"), look, labelled=not self._written))
        self._written = text
