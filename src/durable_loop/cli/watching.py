"""What a chat does while the user waits for it: looked at again and again, which leaves no events."""

import asyncio
import time
from contextlib import suppress
from typing import Final

from temporalio.service import RPCError

from durable_loop.chat.client import Chat
from durable_loop.chat.messages import ChatStatus, ToolCall, UnderWay
from durable_loop.cli import screen
from durable_loop.cli.answering import Answering
from durable_loop.errors import ChatUnavailableError

__all__ = ["Watching"]

# A token is to be seen a third of a second after the model gave it: the worker tells, its server holds back, we look.
INTERVAL: Final = 0.1  # seconds
# A worker that is there takes a message at once, and one that died is known to have after some seconds.
TAKEN_WITHIN: Final = 3.0
# What a turn that is over leaves to be told can wait no longer than this for a worker.
LAST_LOOK: Final = 2.0
# A call to a server that is away takes this long at most, so that the user hears of it.
PATIENCE: Final = 5.0


class Watching:
    """Shows what happens to a turn."""

    def __init__(self, chat: Chat, turn_id: str, answering: Answering) -> None:
        self.turn_id = turn_id
        self.is_cancelled = False
        self._chat = chat
        self._answering = answering
        self._since = self._heard = self._taken = time.monotonic()
        # The calls of which the chat has told whose they are: of this turn, or of another one.
        self._known: frozenset[str] = frozenset()
        self._turn_now: str | None = None
        self._calls: tuple[ToolCall, ...] = ()

    async def go_on(self) -> None:
        """Look again and again, until cancelled."""
        asking: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(PATIENCE):
                        under_way = await self._chat.under_way()
                    self._heard = time.monotonic()
                    self._show(under_way)
                    calls = frozenset(doing.call for doing in under_way)
                    # Only where something has begun, and beside the looking: the answer needs a worker.
                    if calls - self._known and (asking is None or asking.done()):
                        asking = asyncio.create_task(self._ask(calls))
                except (RPCError, TimeoutError):  # a server that is away, or a chat that is just beginning
                    if (away := time.monotonic() - self._heard) >= 1:
                        self._answering.doing(screen.temporal_is_away(seconds=away))
                await asyncio.sleep(INTERVAL)
        finally:
            if asking is not None:
                asking.cancel()
                await asyncio.wait({asking})

    async def look_back(self) -> None:
        """Look at the tools of the turn, which is over."""
        with suppress(RPCError, TimeoutError, ChatUnavailableError):
            async with asyncio.timeout(LAST_LOOK):
                self._see(await self._chat.status())

    async def _ask(self, calls: frozenset[str]) -> None:
        with suppress(RPCError, TimeoutError, ChatUnavailableError):
            async with asyncio.timeout(PATIENCE):
                self._see(await self._chat.status())
                self._known |= calls

    def _show(self, under_way: list[UnderWay]) -> None:
        now = time.monotonic()
        doing = screen.doing(under_way, self._calls, seconds=now - self._since)
        if under_way:
            self._taken = now
        elif now - self._taken >= TAKEN_WITHIN:
            doing = screen.nobody_yet(seconds=now - self._taken)
        if self.is_cancelled:
            doing = screen.cancelling()
        elif under_way and self._turn_now not in {None, self.turn_id}:
            doing = screen.another_first(doing)
        self._answering.doing(doing)
        for each in under_way:
            if each.said is not None and self._turn_now == self.turn_id:
                self._answering.hear(each.call, each.said)

    def _see(self, status: ChatStatus) -> None:
        self._turn_now = status.calls_of
        if status.calls_of == self.turn_id:
            self._calls = status.calls
            self._answering.used(status.calls)
