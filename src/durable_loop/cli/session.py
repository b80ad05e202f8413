"""What is behind the prompt: the connection, and the chat that is talked to. Comes in once the prompt is there."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from typing import Any, Final, Self

from temporalio.client import Client
from temporalio.service import RPCError

from durable_loop.bootstrap.client import connect, ensure_namespaces
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.chat.client import Chat, new_chat_id
from durable_loop.chat.listing import OPEN, all_chats
from durable_loop.chat.messages import ChatInput, Turn
from durable_loop.cli import screen
from durable_loop.cli.prompt import LineSource
from durable_loop.cli.talking import Talking
from durable_loop.cli.web_interface import web_interface
from durable_loop.errors import ChatNotFoundError, TemporalUnreachableError
from durable_loop.models.naming import ModelChoice, check_key, resolve_model
from durable_loop.settings import Settings
from durable_loop.stack.lease import Lease, join_stack
from durable_loop.stack.messages import StackStatus

__all__ = ["Session"]

COMPLETION_TIMEOUT: Final = 1.0  # seconds
OnEnd = Callable[[asyncio.Task[Any]], None]


class Session:
    """A connection, and the chat of the moment."""

    def __init__(
        self,
        settings: Settings,
        lines: LineSource,
        client: Client,
        choice: ModelChoice,
        *,
        lease: Lease | None,
        on_end: OnEnd,
    ) -> None:
        self.settings = settings
        self.lines = lines
        self.client = client
        # The model of the next chat that begins.
        self.choice = choice
        self._lease = lease
        self._on_end = on_end
        self._following: asyncio.Task[None] | None = None
        self._open_turns: Sequence[Turn] = ()
        self.new_chat()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        settings: Settings,
        lines: LineSource,
        choice: ModelChoice,
        *,
        stack: bool,
        watch: Callable[[StackStatus], None],
        on_end: OnEnd,
    ) -> AsyncGenerator[Self]:
        """Have everything running that a chat needs, and a connection, within the block.

        `on_end` is told of each task that ends, with an error or not: the hold on the stack, the look at a chat.

        Raises:
            SetupError: something is missing or unreachable, or goes away meanwhile.
        """
        if not stack:
            client = await connect()
            await ensure_namespaces(client, retention=settings.namespace_retention)
            with closing(cls(settings, lines, client, choice, lease=None, on_end=on_end)) as session:
                yield session
            return
        async with join_stack(settings) as lease:
            lease.watch(screen.Progress(lines.tell))
            lease.watch(watch)
            await lease.wait_until_ready()
            client = await connect(address=lease.addresses.temporal_address)
            lease.holding.add_done_callback(on_end)
            with closing(cls(settings, lines, client, choice, lease=lease, on_end=on_end)) as session:
                yield session

    @property
    def status(self) -> StackStatus:
        """How the parts of the stack are; empty where there is none."""
        return self._lease.status if self._lease is not None else StackStatus()

    def new_chat(self) -> None:
        """Go on with a chat that begins with its first message."""
        start = ChatInput(model=self.choice.name, policy=chat_policy(self.settings))
        chat = Chat(self.client, new_chat_id(), start, task_queue=self.settings.orchestrator_queue)
        self._turn_to(Talking(chat, self.lines), ())

    async def resume(self, chat_id: str | None) -> None:
        """Go on with a chat that is open, the newest where None is named; show what was said in it.

        Raises:
            ChatError: there is none, or it was ended.
            SetupError: its model has no key here, or Temporal does not answer.
        """
        try:
            chat_id = chat_id or await self._newest()
            start = ChatInput(model=self.choice.name, policy=chat_policy(self.settings))
            chat = await Chat.resume(self.client, chat_id, start, task_queue=self.settings.orchestrator_queue)
            check_key(resolve_model((await chat.status()).model), os.environ)
            talking = Talking(chat, self.lines, begun=True)
            self._turn_to(talking, await talking.join())
        except RPCError as error:
            raise TemporalUnreachableError(f"The chat does not answer: {error.message}") from error

    async def answer_what_is_open(self) -> None:
        """Show the messages that were under way when the user came, with their answers."""
        turns, self._open_turns = self._open_turns, ()
        for turn in turns:
            await self.talking.wait_for(turn)

    async def chat_ids(self) -> Sequence[str]:
        """Return the chats that can be gone on with, the newest first."""
        return [chat.chat_id for chat in await all_chats(self.client) if chat.state == OPEN]

    async def completions(self) -> Sequence[str]:
        """Return them soon, or none: whoever presses Tab does not wait for a server that is away."""
        with suppress(RPCError, TimeoutError):
            async with asyncio.timeout(COMPLETION_TIMEOUT):
                return await self.chat_ids()
        return ()

    def link(self) -> str | None:
        """Return where the chat is to be seen, as far as that is known."""
        interface = web_interface(self.settings, self._lease.addresses if self._lease is not None else None)
        return interface and f"{interface}/namespaces/{self.client.namespace}/workflows/{self.talking.chat.chat_id}"

    def close(self) -> None:
        """Look at the chat no more."""
        if self._following is not None:
            self._following.cancel()

    async def _newest(self) -> str:
        if not (chat_ids := await self.chat_ids()):
            raise ChatNotFoundError("There is no open chat to go on with: a message begins one.")
        return chat_ids[0]

    def _turn_to(self, talking: Talking, open_turns: Sequence[Turn]) -> None:
        self.close()
        self.talking, self._open_turns = talking, open_turns
        self._following = asyncio.create_task(talking.follow())
        self._following.add_done_callback(self._on_end)
