"""`durable-loop chat`: the prompt is there at once; what is typed waits until everything has started."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

from durable_loop.bootstrap.client import configured_address, connect
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.chat.client import Chat, list_chats, new_chat_id
from durable_loop.chat.messages import ChatInput, Reply
from durable_loop.cli import screen
from durable_loop.cli.prompt import LineSource, line_source
from durable_loop.errors import ChatNotFoundError, MessageRefusedError, TurnFailedError
from durable_loop.models.naming import ModelChoice, check_key, key_hint, resolve_model
from durable_loop.settings import Settings
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

    async def run(self, open_things: AsyncExitStack) -> int:
        """Show the first screen, open the chat behind it, and answer lines until the user leaves."""
        sys.stdout.write(screen.welcome(self._choice, hint=key_hint(os.environ)))
        sys.stdout.flush()
        self._settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = line_source(
            history=self._settings.data_dir / "input-history",
            toolbar=lambda: screen.starting(self._status),
        )
        with lines.screen():
            opening = asyncio.create_task(self._open(open_things))
            talking = asyncio.create_task(self._talk(lines, opening))
            code = await self._until_over(talking, opening)
        if self._begun and self._chat_id is not None:
            sys.stdout.write(screen.farewell(self._chat_id, program=_program()))
        return code

    async def _until_over(self, talking: asyncio.Task[None], opening: asyncio.Task[Chat]) -> int:
        """Return when the user leaves, a signal comes, or the chat cannot be opened (which raises)."""
        loop = asyncio.get_running_loop()
        codes: list[int] = []

        def stop(code: int) -> None:
            codes.append(code)
            talking.cancel()

        for number, code in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED), (signal.SIGHUP, TERMINATED)):
            loop.add_signal_handler(number, stop, code)
        opening.add_done_callback(lambda task: talking.cancel() if not task.cancelled() and task.exception() else None)
        try:
            await talking
        except asyncio.CancelledError:
            if opening.done() and not opening.cancelled():
                opening.result()
            return codes[0] if codes else INTERRUPTED
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            opening.cancel()
            await asyncio.wait({opening})
        return 0

    async def _open(self, open_things: AsyncExitStack) -> Chat:
        """Have everything running that the chat needs, and connect to it."""
        address = None
        if configured_address() is not None or not self._stack:
            await connect()  # a Temporal elsewhere is checked before anything is started
        if self._stack:
            lease = await open_things.enter_async_context(join_stack(self._settings))
            lease.watch(self._note)
            lease.watch(screen.Progress(sys.stdout.write))
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
        sys.stdout.write(screen.transcript(await chat.transcript()))
        return chat

    async def _talk(self, lines: LineSource, opening: asyncio.Task[Chat]) -> None:
        if self._resume:
            await self._answer_what_is_open(await asyncio.shield(opening))
        while (line := await lines.read()) is not None:
            text = line.strip()
            if text.lower() in LEAVE:
                return
            if text:
                await self._say(await asyncio.shield(opening), text)

    async def _answer_what_is_open(self, chat: Chat) -> None:
        """Show the answers to messages that were under way when the user left."""
        status = await chat.status()
        for turn_id in (status.running, *status.waiting):
            if turn_id is not None:
                await self._show(chat.reply_to(turn_id))

    async def _say(self, chat: Chat, text: str) -> None:
        self._begun = True
        await self._show(chat.send(text))

    async def _show(self, answer: Awaitable[Reply]) -> None:
        try:
            shown = screen.reply(await answer)
        except (TurnFailedError, MessageRefusedError) as error:
            shown = screen.failure(error)
        sys.stdout.write(shown)
        sys.stdout.flush()

    def _note(self, status: StackStatus) -> None:
        self._status = status


def _program() -> str:
    """Return how the user called this program, to say how to call it again."""
    called = Path(sys.argv[0]).name
    return f"uv run {called}" if called == "client.py" else "durable-loop chat"
