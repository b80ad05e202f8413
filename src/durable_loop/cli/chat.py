"""`durable-loop chat`: the prompt is there at once; what is typed waits until everything has started."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from durable_loop.bootstrap.client import configured_address, connect, ensure_namespaces
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.chat.client import Chat, list_chats, new_chat_id
from durable_loop.chat.messages import ChatInput, Reply
from durable_loop.cli import screen
from durable_loop.cli.prompt import InterruptedByUser, LineSource, line_source
from durable_loop.errors import ChatNotFoundError, MessageRefusedError, TurnFailedError
from durable_loop.models.naming import ModelChoice, check_key, key_hint, resolve_model
from durable_loop.settings import Settings
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.lease import join_stack
from durable_loop.stack.messages import StackStatus

__all__ = ["run_chat"]

LEAVE = frozenset({"quit", "exit"})
INTERRUPTED = 130
TERMINATED = 143


async def run_chat(settings: Settings, *, resume: bool, chat_id: str | None, stack: bool) -> int:
    """Chat until the user leaves; return the exit code.

    Raises:
        SetupError: something is missing or unreachable; says what and what to do.
    """
    choice = resolve_model(settings.llm_model)
    check_key(choice, os.environ)
    async with AsyncExitStack() as open_things:
        session = ChatSession(settings, choice, resume=resume, chat_id=chat_id, stack=stack)
        return await session.run(open_things)


class ChatSession:
    """One run of the program: from the first screen to the farewell."""

    def __init__(
        self, settings: Settings, choice: ModelChoice, *, resume: bool, chat_id: str | None, stack: bool
    ) -> None:
        self._settings = settings
        self._choice = choice
        self._resume = resume
        self._chat_id = chat_id
        self._stack = stack
        self._status = StackStatus()
        self._begun = resume
        # How the program ends when it is not the user who ends it: an exit code, or an error to show.
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self, open_things: AsyncExitStack) -> int:
        """Show the first screen, open the chat behind it, and answer lines until the user leaves."""
        sys.stdout.write(screen.welcome(self._choice, hint=key_hint(os.environ)))
        sys.stdout.flush()
        StackFolder(self._settings.data_dir).create()
        lines = line_source(
            history=self._settings.data_dir / "input-history",
            toolbar=lambda: screen.starting(self._status),
        )
        with lines.screen():
            code = await self._until_over(lines, open_things)
        if self._begun and self._chat_id is not None:
            sys.stdout.write(screen.farewell(self._chat_id, program=_program()))
        return code

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
        return 0

    def _stop(self, code: int) -> None:
        if not self._over.done():
            self._over.set_result(code)

    def _fail_with(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._over.done():
            self._over.set_exception(error)

    async def _open(self, lines: LineSource, open_things: AsyncExitStack) -> Chat:
        """Have everything running that the chat needs, and connect to it."""
        address = None
        if configured_address() is not None or not self._stack:
            # A Temporal elsewhere is checked before anything is started.
            await ensure_namespaces(await connect(), retention=self._settings.namespace_retention, own_server=False)
        if self._stack:
            lease = await open_things.enter_async_context(join_stack(self._settings))
            lease.holding.add_done_callback(self._fail_with)
            lease.watch(screen.Progress(lines.tell))
            lease.watch(lambda status: self._note(status, lines))
            await lease.wait_until_ready()
            address = lease.addresses.temporal_address
        client = await connect(address=address)
        start = ChatInput(model=self._choice.name, policy=chat_policy(self._settings))
        if not self._resume:
            self._chat_id = new_chat_id()
            return Chat(client, self._chat_id, start, task_queue=self._settings.orchestrator_queue)
        if self._chat_id is None:
            self._chat_id = await anext((chat.chat_id async for chat in list_chats(client) if chat.open), None)
            if self._chat_id is None:
                raise ChatNotFoundError("There is no open chat to go on with; leave out --resume to start one.")
        chat = await Chat.resume(client, self._chat_id, start, task_queue=self._settings.orchestrator_queue)
        status = await chat.status()
        check_key(resolve_model(status.model), os.environ)
        lines.tell(screen.transcript(await chat.transcript()))
        return chat

    async def _talk(self, lines: LineSource, opening: asyncio.Task[Chat]) -> None:
        if self._resume:
            await self._answer_what_is_open(lines, await asyncio.shield(opening))
        while (line := await lines.read()) is not None:
            text = line.strip()
            if text.lower() in LEAVE:
                return
            if text:
                chat = await asyncio.shield(opening)
                self._begun = True
                await self._show(lines, chat.send(text))

    async def _answer_what_is_open(self, lines: LineSource, chat: Chat) -> None:
        """Show the answers to messages that were under way when the user left."""
        status = await chat.status()
        for turn_id in (status.running, *status.waiting):
            if turn_id is not None:
                await self._show(lines, chat.reply_to(turn_id))

    async def _show(self, lines: LineSource, answer: Awaitable[Reply]) -> None:
        try:
            with lines.thinking():
                shown = screen.reply(await answer)
        except (TurnFailedError, MessageRefusedError) as error:
            shown = screen.failure(error)
        lines.tell(shown)

    def _note(self, status: StackStatus, lines: LineSource) -> None:
        self._status = status
        lines.refresh()


def _program() -> str:
    """Return how the user called this program, to say how to call it again."""
    called = Path(sys.argv[0]).name
    return f"uv run {called}" if called == "client.py" else "durable-loop chat"
