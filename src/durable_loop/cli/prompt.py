"""Where the user's lines come from: a terminal (`keyboard`), or a pipe."""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Protocol

from durable_loop.chat.messages import Decision, Question, Verdict
from durable_loop.cli import command_words, output, screen
from durable_loop.cli.answering import Answering, WholeReply
from durable_loop.cli.terminal import Look

__all__ = ["LEAVE", "InterruptedByUser", "LeftByUser", "LineSource", "PipedLines", "text_of"]

NOBODY = "there is no terminal to ask the user at"
LEAVE = frozenset({"quit", "exit"})


class InterruptedByUser(Exception):  # noqa: N818 - not an error
    """Ctrl-C."""


class LeftByUser(Exception):  # noqa: N818 - not an error
    """Ctrl-D, or `quit` in place of an answer to a question, which stays open."""


class LineSource(Protocol):
    """Gives the user's lines, one at a time, and shows what is to be seen around them."""

    def held(self, on_key: Callable[[Exception], None]) -> AbstractContextManager[None]:
        """Have the keyboard within it; `on_key` takes an InterruptedByUser or LeftByUser that comes between lines."""
        ...

    async def read(self) -> str | None:
        """Return the next line, or None at the end of input."""
        ...

    def edit(self, text: str) -> None:
        """Have the next line written in an editor."""
        ...

    async def decide(self, question: Question, *, own: bool) -> Decision | None:
        """Have the user answer a question of the agent; `own`: about what this program was told.

        Returns None where it is not for this user to answer.
        """
        ...

    def answering(self) -> AbstractContextManager[Answering]:
        """Within it, the user sees that something is being worked on; the value takes what there is to say of it."""
        ...

    def look(self) -> Look | None:
        """Return what can be shown; None: it is read by a program."""
        ...

    def tell(self, text: str) -> None:
        """Write whole lines, above what is being typed or waited for."""
        ...

    def complain(self, text: str) -> None:
        """Write whole lines about what went wrong."""
        ...

    @property
    def exit_code(self) -> int:
        """What the program ends with when the lines have ended."""
        ...

    def refresh(self) -> None:
        """Draw again what depends on the state of things."""
        ...


class PipedLines:
    """Standard input, line by line, echoed so that the output reads as a dialogue."""

    def __init__(self, *, approve: bool) -> None:
        self._approve = approve
        self._has_complained = False
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        # A daemon: a read that blocks for ever must not hold up the end of the program.
        threading.Thread(target=self._pump, daemon=True).start()

    def held(self, on_key: Callable[[Exception], None]) -> AbstractContextManager[None]:  # noqa: ARG002 - has no keys
        """Do nothing."""
        return nullcontext()

    async def read(self) -> str | None:
        """Return the next line and echo it."""
        line = await self._lines.get()
        if line is not None:
            self.tell(screen.said(line))
        return line

    def edit(self, text: str) -> None:  # noqa: ARG002 - nobody could go on with it
        """Say that there is nobody to edit."""
        self.tell(command_words.no_editor())

    async def decide(self, question: Question, *, own: bool) -> Decision | None:
        """Decide about what this program asked for: there is nobody to ask. What others asked for is theirs."""
        if not own:
            return None
        if self._approve:
            self.tell(screen.decided_for(question, approved=True))
            return Decision(question_id=question.question_id, verdict=Verdict.APPROVE)
        self.tell(screen.refused(question))
        return Decision(question_id=question.question_id, verdict=Verdict.REJECT, reason=NOBODY)

    def look(self) -> Look | None:
        """Return None: a pipe shows nothing."""
        return None

    def tell(self, text: str) -> None:
        """Write at once: whoever reads the pipe may be waiting for it."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def complain(self, text: str) -> None:
        """Write beside the replies; the exit code will tell of it as well."""
        output.complain(text)
        self._has_complained = True

    @property
    def exit_code(self) -> int:
        """1 where something went wrong: whoever reads the pipe sees no more than that."""
        return 1 if self._has_complained else 0

    def answering(self) -> AbstractContextManager[Answering]:
        """Show nothing meanwhile: a pipe gets replies alone."""
        return nullcontext(WholeReply(self.tell))

    def refresh(self) -> None:
        """Draw nothing: nothing is shown that could be old."""

    def _pump(self) -> None:
        with suppress(RuntimeError):  # the program has ended meanwhile, its loop with it
            for line in sys.stdin or ():
                self._loop.call_soon_threadsafe(self._lines.put_nowait, text_of(line.rstrip("\n")))
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)


def text_of(line: str) -> str:
    """Return the line as text: bytes that are none were let in as lone surrogates, which nothing can encode."""
    return line.encode(errors="replace").decode()
