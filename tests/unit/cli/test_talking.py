"""A chat on the screen, whatever the chat answers."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from durable_loop.chat.client import Chat
from durable_loop.chat.messages import Reply, TurnOutcome
from durable_loop.cli import talking
from durable_loop.cli.prompt import LineSource
from durable_loop.cli.talking import Talking
from durable_loop.errors import ChatUnavailableError


class Lines:
    """Notes what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, text: str) -> None:
        """Note it."""
        self.told.append(text)

    def look(self) -> None:
        """Return that a program reads it."""

    def refresh(self) -> None:
        """Draw nothing."""


class SlowChat:
    """Takes its time to say what is over."""

    async def settled(self, *, after: str | None) -> Sequence[TurnOutcome]:
        """Return the one turn, to whoever has not seen it."""
        await asyncio.sleep(0)
        reply = Reply(turn_id="other", text="Here.")
        return [] if after == "other" else [TurnOutcome(turn_id="other", said="Are you there?", reply=reply)]


async def test_the_turn_of_somebody_else_is_shown_once_whoever_looks() -> None:
    """Whoever follows the chat and whoever waits for a reply may look at the same moment. (ours)"""
    lines = Lines()
    talk = Talking(cast("Chat", SlowChat()), cast("LineSource", lines), begun=True)

    await asyncio.gather(talk.catch_up(), talk.catch_up())

    assert "".join(lines.told).count("Are you there?") == 1


class BrokenChat:
    """Has workers that cannot replay it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.handle = self
        self.run_id, self.history_length = "run", 3

    async def describe(self) -> "BrokenChat":
        """Return itself: the server knows it."""
        return self

    async def settled(self, *, after: str | None) -> Sequence[TurnOutcome]:
        """Fail as such a query does."""
        self.asked.set()
        raise ChatUnavailableError(f"after {after}")

    async def status(self) -> None:
        """Fail as well."""
        raise ChatUnavailableError("no status")


async def test_a_chat_that_its_workers_cannot_tell_of_is_followed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that can may come; the program stays. (ours)"""
    monkeypatch.setattr(talking, "FOLLOW_INTERVAL", 0.001)
    chat = BrokenChat()
    following = asyncio.create_task(Talking(cast("Chat", chat), cast("LineSource", Lines()), begun=True).follow())
    for _ in range(2):
        await asyncio.wait_for(chat.asked.wait(), 5)
        chat.asked.clear()

    assert not following.done()
    following.cancel()
    await asyncio.wait({following})
