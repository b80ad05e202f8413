"""`durable-loop chat`: the prompt is there at once; what is typed waits until everything has started.

What needs a connection is in `session`, which comes in behind the prompt: its imports alone take a second.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from durable_loop.cli import command_words, screen, slash
from durable_loop.cli.keyboard import TerminalLines
from durable_loop.cli.output import is_terminal
from durable_loop.cli.prompt import LEAVE, InterruptedByUser, LeftByUser, LineSource, PipedLines
from durable_loop.models.naming import ModelChoice, check_key, key_hint, resolve_model
from durable_loop.settings import Settings
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.messages import StackStatus

if TYPE_CHECKING:
    from durable_loop.cli.session import Session

__all__ = ["run_chat"]

INTERRUPTED = 130
TERMINATED = 143


async def run_chat(settings: Settings, *, resume: bool, chat_id: str | None, stack: bool, approve: bool) -> int:
    """Chat until the user leaves; return the exit code.

    Raises:
        SetupError: something is missing or unreachable; says what and what to do.
    """
    choice = resolve_model(settings.llm_model)
    check_key(choice, os.environ)
    async with AsyncExitStack() as open_things:
        program = _Program(settings, choice, resume=resume, chat_id=chat_id, stack=stack, approve=approve)
        return await program.run(open_things)


class _Program:
    """One run of the program: from the first screen to the farewell."""

    def __init__(
        self, settings: Settings, choice: ModelChoice, *, resume: bool, chat_id: str | None, stack: bool, approve: bool
    ) -> None:
        self._settings = settings
        self._choice = choice
        self._resume = resume
        self._chat_id = chat_id
        self._stack = stack
        self._approve = approve
        self._status = StackStatus()
        self._session: Session | None = None
        # Set while a message waits for everything to start; done when the user takes it back.
        self._taken_back: asyncio.Future[None] | None = None
        # How the program ends when it is not the user who ends it: an exit code, or an error to show.
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self, open_things: AsyncExitStack) -> int:
        """Show the first screen, open the chat behind it, and answer lines until the user leaves."""
        folder = StackFolder(self._settings.data_dir)
        folder.create()
        lines = self._lines(folder)
        with lines.held(self._hear):
            lines.tell(screen.welcome(self._choice, hint=key_hint(os.environ)))
            code = await self._until_over(lines, open_things)
        if self._session is not None and self._session.talking.begun:
            sys.stdout.write(screen.farewell(self._session.talking.chat.chat_id, program=_program()))
        return code

    def _lines(self, folder: StackFolder) -> LineSource:
        if is_terminal(sys.stdin) and is_terminal(sys.stdout):
            return TerminalLines(folder.typed, toolbar=self._toolbar, chat_ids=self._chat_ids)
        return PipedLines(approve=self._approve)

    async def _until_over(self, lines: LineSource, open_things: AsyncExitStack) -> int:
        """Return when the user leaves or a signal comes; raise when the chat cannot be opened or held."""
        loop = asyncio.get_running_loop()
        opening = asyncio.create_task(self._open(lines, open_things))
        talking = asyncio.create_task(self._talk(lines, opening))
        for number, code in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED), (signal.SIGHUP, TERMINATED)):
            loop.add_signal_handler(number, self._stop, code)
        opening.add_done_callback(self._fail_with)
        try:
            await asyncio.wait({talking, self._over}, return_when=asyncio.FIRST_COMPLETED)
            if self._session is not None:
                await self._session.talking.tell_before_leaving()
        finally:
            for task in (talking, opening):
                task.cancel()
            await asyncio.wait({talking, opening})
        if self._over.done():
            return self._over.result()
        try:
            talking.result()
        except InterruptedByUser:
            return INTERRUPTED
        except LeftByUser:
            pass
        return lines.exit_code

    def _hear(self, key: Exception) -> None:
        """Take a key that was pressed while no line was read."""
        if isinstance(key, LeftByUser):
            self._stop(0)
        elif self._taken_back is not None and not self._taken_back.done():
            self._taken_back.set_result(None)
        elif self._session is None or not self._session.talking.interrupt():
            self._stop(INTERRUPTED)

    def _stop(self, code: int) -> None:
        if not self._over.done():
            self._over.set_result(code)

    def _fail_with(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._over.done():
            self._over.set_exception(error)

    async def _open(self, lines: LineSource, open_things: AsyncExitStack) -> "Session":
        """Have everything running that the chat needs, and go on with a chat where one is named."""
        # In a thread: what is typed meanwhile is to be seen.
        module = await asyncio.to_thread(import_module, "durable_loop.cli.session")
        session: Session = await open_things.enter_async_context(
            module.Session.opened(
                self._settings, lines, self._choice, stack=self._stack, watch=self._note(lines), on_end=self._fail_with
            )
        )
        if self._resume:
            await session.resume(self._chat_id)
        self._session = session
        return session

    async def _talk(self, lines: LineSource, opening: "asyncio.Task[Session]") -> None:
        if self._resume:
            await (await asyncio.shield(opening)).answer_what_is_open()
        while (line := await _read(lines)) is not None:
            text = line.strip()
            command = slash.parsed(line)
            if text.lower() in LEAVE or command == ("quit", ""):
                return
            if command is not None and (wrong := slash.wrong(*command)) is not None:
                lines.complain(wrong)
            elif command is not None and command[0] == "help":
                known = [(each.usage, each.about) for each in slash.COMMANDS]
                lines.tell(command_words.commands(known, lines.look()))
            elif text and (session := await self._patiently(lines, opening)) is not None:
                if command is None:
                    await session.talking.say(text)
                else:
                    from durable_loop.cli.acting import act  # noqa: PLC0415 - as the session

                    await act(session, *command)

    async def _patiently(self, lines: LineSource, opening: "asyncio.Task[Session]") -> "Session | None":
        """Wait until everything has started; None where the user does not wish to wait for it."""
        if not opening.done():
            self._taken_back = asyncio.get_running_loop().create_future()
            with lines.answering():
                await asyncio.wait({opening, self._taken_back}, return_when=asyncio.FIRST_COMPLETED)
            if self._taken_back.done():
                lines.tell(screen.not_sent())
                return None
            self._taken_back = None
        return opening.result()

    def _note(self, lines: LineSource) -> Callable[[StackStatus], None]:
        def note(status: StackStatus) -> None:
            self._status = status
            lines.refresh()

        return note

    def _toolbar(self) -> str:
        return screen.starting(self._status) or (self._session.talking.note if self._session is not None else "")

    async def _chat_ids(self) -> Sequence[str]:
        return await self._session.completions() if self._session is not None else ()


async def _read(lines: LineSource) -> str | None:
    """Return the next line; the second Ctrl-C in a row leaves."""
    interrupted = False
    while True:
        try:
            return await lines.read()
        except InterruptedByUser:
            if interrupted:
                raise
            interrupted = True
            lines.tell(screen.leaves_next_time())


def _program() -> str:
    """Return how the user called this program, to say how to call it again."""
    called = Path(sys.argv[0]).name
    return f"uv run {called}" if called == "client.py" else "durable-loop chat"
