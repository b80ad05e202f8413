"""What a chat does while the user waits for it: looked at again and again, which leaves no events."""

import asyncio
import time
from contextlib import suppress
from typing import Final

from temporalio.service import RPCError

from durable_loop.chat.client import Chat
from durable_loop.chat.messages import ToolCall, UnderWay
from durable_loop.cli import screen
from durable_loop.cli.answering import Answering

__all__ = ["Watching"]

# A token is to be seen a third of a second after the model gave it: the worker tells, its server holds back, we look.
INTERVAL: Final = 0.1  # seconds
# The tools of a turn that is over can wait no longer than this for a worker that would tell them.
LAST_LOOK: Final = 2.0


class Watching:
    """Shows what happens to a turn."""

    def __init__(self, chat: Chat, turn_id: str, answering: Answering) -> None:
        self._chat = chat
        self._turn_id = turn_id
        self._answering = answering
        self._since = time.monotonic()
        self._known: frozenset[str] = frozenset()
        self._calls: tuple[ToolCall, ...] = ()

    async def go_on(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            with suppress(RPCError):  # a server that is away, or a chat that is just beginning
                await self._look()
            await asyncio.sleep(INTERVAL)

    async def look_back(self) -> None:
        """Look at the tools of the turn, which is over."""
        with suppress(RPCError, TimeoutError):
            async with asyncio.timeout(LAST_LOOK):
                await self._look_at_tools()

    async def _look(self) -> None:
        under_way = await self._chat.under_way()
        self._say(under_way)
        known, self._known = self._known, frozenset(doing.call for doing in under_way)
        if self._known - known:
            await self._look_at_tools()
            self._say(under_way)
        for doing in under_way:
            if doing.said is not None:
                self._answering.hear(doing.call, doing.said)

    def _say(self, under_way: list[UnderWay]) -> None:
        self._answering.doing(screen.doing(under_way, self._calls, seconds=time.monotonic() - self._since))

    async def _look_at_tools(self) -> None:
        """Ask the chat, which needs a worker: only where something has begun since."""
        status = await self._chat.status()
        if status.calls_of == self._turn_id:
            self._calls = status.calls
            self._answering.used(status.calls)
