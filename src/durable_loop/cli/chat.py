"""`durable-loop chat`: the prompt is there at once; what is typed waits until everything has started."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import Client
from temporalio.service import RPCError

from durable_loop.bootstrap.client import connect, ensure_namespaces
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.chat.client import Chat, Decide, list_chats, new_chat_id
from durable_loop.chat.messages import ChatInput, Decision, Question, Reply
from durable_loop.cli import screen
from durable_loop.cli.answering import Answering, OnlyDoing
from durable_loop.cli.prompt import LEAVE, InterruptedByUser, LeftByUser, LineSource, line_source
from durable_loop.cli.watching import Watching
from durable_loop.errors import ChatNotFoundError, MessageRefusedError, TemporalUnreachableError, TurnFailedError
from durable_loop.models.naming import ModelChoice, check_key, key_hint, resolve_model
from durable_loop.settings import Settings
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.lease import join_stack
from durable_loop.stack.messages import StackStatus

__all__ = ["run_chat"]

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
        self._start = ChatInput(model=choice.name, policy=chat_policy(settings))
        self._begun = False
        self._shown = 0  # lines of a transcript
        self._open_turns: list[str] = []
        # How the program ends when it is not the user who ends it: an exit code, or an error to show.
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self, open_things: AsyncExitStack) -> int:
        """Show the first screen, open the chat behind it, and answer lines until the user leaves."""
        folder = StackFolder(self._settings.data_dir)
        folder.create()
        lines = line_source(history=folder.typed, toolbar=lambda: screen.starting(self._status))
        lines.tell(screen.welcome(self._choice, hint=key_hint(os.environ)))
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
        except LeftByUser:
            pass
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
        if self._stack:
            lease = await open_things.enter_async_context(join_stack(self._settings))
            lease.holding.add_done_callback(self._fail_with)
            lease.watch(screen.Progress(lines.tell))
            lease.watch(lambda status: self._note(status, lines))
            await lease.wait_until_ready()
            client = await connect(address=lease.addresses.temporal_address)
        else:
            client = await connect()
            await ensure_namespaces(client, retention=self._settings.namespace_retention)
        try:
            return await self._resume_chat(client, lines) if self._resume else self._new_chat(client)
        except RPCError as error:
            raise TemporalUnreachableError(f"The chat does not answer: {error.message}") from error

    def _new_chat(self, client: Client) -> Chat:
        self._chat_id = new_chat_id()
        return Chat(client, self._chat_id, self._start, task_queue=self._settings.orchestrator_queue)

    async def _resume_chat(self, client: Client, lines: LineSource) -> Chat:
        """Open the chat that is meant, and show what was said."""
        if self._chat_id is None:
            self._chat_id = await anext((chat.chat_id async for chat in list_chats(client) if chat.open), None)
            if self._chat_id is None:
                raise ChatNotFoundError("There is no open chat to go on with; leave out --resume to start one.")
        chat = await Chat.resume(client, self._chat_id, self._start, task_queue=self._settings.orchestrator_queue)
        status = await chat.status()
        check_key(resolve_model(status.model), os.environ)
        self._begun = True
        # In this order: a turn that settles in between is in the transcript, and adds nothing to it later.
        self._open_turns = [turn_id for turn_id in (status.running, *status.waiting) if turn_id is not None]
        await self._show_transcript(chat, lines)
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
                await self._show(lines, chat, text)

    async def _answer_what_is_open(self, lines: LineSource, chat: Chat) -> None:
        """Show the messages that were under way when the user left, with their answers."""
        for turn_id in self._open_turns:
            with suppress(TurnFailedError), lines.answering() as answering:  # which the transcript tells, as the reply
                answer = chat.reply_to(turn_id, decide=_deciding(lines))
                await self._watched(chat, answer, turn_id, OnlyDoing(answering))
            await self._show_transcript(chat, lines)

    async def _show_transcript(self, chat: Chat, lines: LineSource) -> None:
        """Show what was said and has not been shown."""
        said = await chat.transcript()
        lines.tell(screen.transcript(said[self._shown :]))
        self._shown = len(said)

    async def _show(self, lines: LineSource, chat: Chat, text: str) -> None:
        turn_id = uuid4().hex
        failed = ""
        with lines.answering() as answering:
            try:
                sending = chat.send(text, turn_id=turn_id, decide=_deciding(lines, own=turn_id))
                answering.finish(await self._watched(chat, sending, turn_id, answering))
            except (TurnFailedError, MessageRefusedError) as error:
                failed = screen.failure(error)
            except RPCError as error:
                failed = screen.failure(MessageRefusedError(f"Temporal did not take the message: {error.message}"))
        lines.tell(failed)

    async def _watched(
        self, chat: Chat, answer: Coroutine[Any, Any, Reply], turn_id: str, answering: Answering
    ) -> Reply:
        """Wait for a reply; meanwhile the user sees what happens."""
        watching = Watching(chat, turn_id, answering)
        looking = asyncio.create_task(watching.go_on())
        looking.add_done_callback(self._fail_with)
        try:
            reply = await answer
        finally:
            looking.cancel()
            await asyncio.wait({looking})
        await watching.look_back()
        return reply

    def _note(self, status: StackStatus, lines: LineSource) -> None:
        self._status = status
        lines.refresh()


def _deciding(lines: LineSource, *, own: str | None = None) -> Decide:
    """Have questions answered where the lines come from; `own` is the turn that was begun here."""

    async def decide(question: Question) -> Decision | None:
        return await lines.decide(question, own=question.turn_id == own)

    return decide


def _program() -> str:
    """Return how the user called this program, to say how to call it again."""
    called = Path(sys.argv[0]).name
    return f"uv run {called}" if called == "client.py" else "durable-loop chat"
