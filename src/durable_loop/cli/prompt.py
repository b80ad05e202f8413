"""Where the user's lines come from: a terminal with history and editing, or a pipe."""

import asyncio
import shutil
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.utils import get_cwidth

from durable_loop.chat.messages import Decision, Question, Verdict
from durable_loop.cli import screen
from durable_loop.cli.answering import Answering, GrowingReply, WholeReply

__all__ = ["LEAVE", "InterruptedByUser", "LeftByUser", "LineSource", "PipedLines", "TerminalLines", "line_source"]

PROMPT = "You: "
THINKING = "Agent: …"
NOBODY = "there is no terminal to ask the user at"
ERASE_LINE = "\r\x1b[K"


LEAVE = frozenset({"quit", "exit"})


class InterruptedByUser(Exception):  # noqa: N818 - not an error
    """Ctrl-C at the prompt."""


class LeftByUser(Exception):  # noqa: N818 - not an error
    """The user leaves in place of an answer to a question, which stays open."""


class LineSource(Protocol):
    """Gives the user's lines, one at a time, and shows what is to be seen around them."""

    async def read(self) -> str | None:
        """Return the next line, or None at the end of input."""
        ...

    async def decide(self, question: Question, *, own: bool) -> Decision | None:
        """Have the user answer a question of the agent; `own`: about what this program was told.

        Returns None where it is not for this user to answer.
        """
        ...

    def answering(self) -> AbstractContextManager[Answering]:
        """Within it, the user sees that something is being worked on; the value takes what there is to say of it."""
        ...

    def tell(self, text: str) -> None:
        """Write whole lines, above what is being typed or waited for."""
        ...

    def refresh(self) -> None:
        """Draw again what depends on the state of things."""
        ...


def line_source(*, history: Path, toolbar: Callable[[], str]) -> LineSource:
    """Return the terminal if there is one, else standard input."""
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return TerminalLines(history, toolbar) if terminal else PipedLines()


class TerminalLines:
    """A prompt with a history of its own and a toolbar that says what is still starting."""

    def __init__(self, history: Path, toolbar: Callable[[], str]) -> None:
        self._toolbar = toolbar
        self._waiting = ""  # the line that stands for a reply to come
        self._asking = False
        self._session: PromptSession[str] = PromptSession(
            history=FileHistory(history), interrupt_exception=InterruptedByUser
        )

    async def read(self) -> str | None:
        """Prompt for a line; Ctrl-D is the end, Ctrl-C raises InterruptedByUser."""
        try:
            # What is written while the user types comes above the prompt; it has been made harmless before. At other
            # times it is written at once: a line that was typed ahead must not overtake the reply to the one before.
            with patch_stdout(raw=True):
                line = await self._session.prompt_async(
                    PROMPT,
                    bottom_toolbar=lambda: self._toolbar() or None,
                    handle_sigint=False,
                )
        except EOFError:
            return None
        return _text(line)

    async def decide(self, question: Question, *, own: bool) -> Decision | None:  # noqa: ARG002 - a user answers all
        """Ask until there is an answer.

        Raises:
            InterruptedByUser: Ctrl-C; the question stays open.
            LeftByUser: Ctrl-D or `quit`; as above.
        """
        thinking, self._waiting, self._asking = self._waiting, "", True
        self.tell(f"{ERASE_LINE}{screen.question(question)}")
        # What was typed before the question could be read is no answer to it: it is for the next line.
        terminal = self._session.app.input
        typed_ahead = [*get_typeahead(terminal), *terminal.read_keys()]
        try:
            decision = await self._decision(question)
        except asyncio.CancelledError:
            self.tell("  (no longer asked)\n")
            self._think_on(thinking)
            raise
        finally:
            store_typeahead(terminal, typed_ahead)
        self._think_on(thinking)
        return decision

    def _think_on(self, thinking: str) -> None:
        self._asking = False
        self._wait(thinking)

    async def _decision(self, question: Question) -> Decision:
        # Its answers are not for the history of what was said.
        session = PromptSession[str](input=self._session.app.input, interrupt_exception=InterruptedByUser)
        while True:
            try:
                with patch_stdout(raw=True):
                    typed = _text(await session.prompt_async(screen.may_it(question), handle_sigint=False))
            except EOFError as error:
                raise LeftByUser from error
            if typed.strip().lower() in LEAVE:
                raise LeftByUser
            if (decision := screen.decision(question, typed)) is not None:
                return decision
            self.tell(screen.unclear(question))

    def tell(self, text: str) -> None:
        """Write above the prompt, or above the line that stands for a reply."""
        sys.stdout.write(f"{ERASE_LINE}{text}{self._waiting}" if self._waiting else text)
        sys.stdout.flush()

    @contextmanager
    def answering(self) -> Generator[Answering]:
        """Show a line, write above it what is there of the reply, and take it away again."""
        self._wait(THINKING)
        try:
            yield GrowingReply(self.tell, lambda doing: self._wait(f"{THINKING} ({doing})" if doing else THINKING))
        finally:
            self._waiting = ""
            sys.stdout.write(ERASE_LINE)

    def _wait(self, line: str) -> None:
        if self._asking:
            return
        # One row, which can be taken away again; a tab would take as much of it as it likes.
        self._waiting = _fitting(line.expandtabs(1), shutil.get_terminal_size().columns - 1)
        self.tell("")

    def refresh(self) -> None:
        """Draw the toolbar again."""
        self._session.app.invalidate()


class PipedLines:
    """Standard input, line by line, echoed so that the output reads as a dialogue."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        # A daemon: a read that blocks for ever must not hold up the end of the program.
        threading.Thread(target=self._pump, daemon=True).start()

    async def read(self) -> str | None:
        """Return the next line and echo it."""
        line = await self._lines.get()
        if line is not None:
            self.tell(screen.said(line))
        return line

    async def decide(self, question: Question, *, own: bool) -> Decision | None:
        """Refuse what this program asked for: there is nobody to ask. What others asked for is theirs."""
        if not own:
            return None
        self.tell(screen.refused(question))
        return Decision(question_id=question.question_id, verdict=Verdict.REJECT, reason=NOBODY)

    def tell(self, text: str) -> None:
        """Write at once: whoever reads the pipe may be waiting for it."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def answering(self) -> AbstractContextManager[Answering]:
        """Show nothing meanwhile: a pipe gets replies alone."""
        return nullcontext(WholeReply(self.tell))

    def refresh(self) -> None:
        """Draw nothing: nothing is shown that could be old."""

    def _pump(self) -> None:
        with suppress(RuntimeError):  # the program has ended meanwhile, its loop with it
            for line in sys.stdin or ():
                self._loop.call_soon_threadsafe(self._lines.put_nowait, _text(line.rstrip("\n")))
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)


def _fitting(line: str, columns: int) -> str:
    """Return the beginning of `line` that has room in so many columns; a character may need two, or none."""
    widths = accumulate(get_cwidth(character) for character in line)
    return "".join(character for character, width in zip(line, widths, strict=True) if width <= columns)


def _text(line: str) -> str:
    """Return the line as text: bytes that are none were let in as lone surrogates, which nothing can encode."""
    return line.encode(errors="replace").decode()
