"""The program around a chat: what it does with what goes wrong beside the conversation."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.chat.client import Decide
from durable_loop.chat.messages import ChatPhase, ChatStatus, Decision, Question, Reply, TurnOutcome, UnderWay
from durable_loop.cli.answering import Answering, WholeReply
from durable_loop.cli.chat import run_chat
from durable_loop.cli.terminal import Look
from durable_loop.settings import Settings

# Runs the program with a chat of which this is under way; returns what it shows.
Program = Callable[..., Awaitable[str]]

AWAY = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
AGAIN = UnderWay(call="1", what="model call", attempt=2, max_attempts=6, last_error="overloaded.")


class Lines:
    """A user who says hello and leaves."""

    def __init__(self) -> None:
        self.shown = ""
        self.doing = asyncio.Event()
        self._typed = ["hello"]

    def held(self, on_key: Callable[[Exception], None]) -> AbstractContextManager[None]:
        """Have no keyboard."""
        del on_key
        return nullcontext()

    def edit(self, text: str) -> None:
        """Nobody edits here."""
        raise NotImplementedError

    def look(self) -> Look | None:
        """Return None: it is plain."""
        return None

    async def read(self) -> str | None:
        """Return what is typed."""
        return self._typed.pop() if self._typed else None

    async def decide(self, question: Question, *, own: bool) -> Decision | None:
        """Nobody is asked here."""
        raise NotImplementedError

    def answering(self) -> AbstractContextManager[Answering]:
        """Note what is said of the wait."""
        return nullcontext(Shown(self))

    exit_code = 0

    def tell(self, text: str) -> None:
        """Note what is shown."""
        self.shown += text

    def complain(self, text: str) -> None:
        """Note it as well."""
        self.tell(text)

    def refresh(self) -> None:
        """Draw nothing."""


class Shown(WholeReply):
    """A reply, and what is said of the wait."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines.tell)
        self._lines = lines

    def doing(self, words: str) -> None:
        """Note it."""
        if words:
            self._lines.tell(f"… {words}\n")
            self._lines.doing.set()


class Chat:
    """A chat that answers once the user sees what it is doing; asked for that, it says what it is told, in order."""

    chat_id = "chat-1"

    def __init__(self, lines: Lines, *under_way: Exception | list[UnderWay]) -> None:
        self._lines = lines
        self._under_way = list(under_way)
        self._turn_id = ""

    async def send(self, text: str, *, turn_id: str, decide: Decide) -> Reply:  # noqa: ARG002 - nothing is asked
        """Answer."""
        self._turn_id = turn_id
        await self._lines.doing.wait()
        return Reply(turn_id=turn_id, text=f"{text} yourself")

    async def under_way(self) -> list[UnderWay]:
        """Say what is being done; the last of it for ever."""
        doing = self._under_way.pop(0) if len(self._under_way) > 1 else self._under_way[0]
        if isinstance(doing, Exception):
            raise doing
        return doing

    async def settled(self, *, after: str | None) -> list[TurnOutcome]:
        """Say that nobody else said anything."""
        del after
        return []

    async def status(self) -> ChatStatus:
        """Say that no tool was called."""
        return ChatStatus(phase=ChatPhase.OPEN, model="offline", turns=0, calls_of=self._turn_id)


def makes(thing: object) -> Callable[..., object]:
    """Return what makes this thing of whatever it is given."""

    def make(*_: object, **__: object) -> object:
        return thing

    return make


@pytest.fixture(name="program")
async def _program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncGenerator[Program]:
    async def nothing(*_: object, **__: object) -> None:
        pass

    monkeypatch.setenv("LLM_MODEL", "")
    monkeypatch.setattr("durable_loop.cli.session.connect", nothing)
    monkeypatch.setattr("durable_loop.cli.session.ensure_namespaces", nothing)
    monkeypatch.setattr("durable_loop.cli.watching.INTERVAL", 0)

    async def program(*under_way: Exception | list[UnderWay]) -> str:
        lines = Lines()
        monkeypatch.setattr("durable_loop.cli.chat.PipedLines", makes(lines))
        monkeypatch.setattr("durable_loop.cli.session.Chat", makes(Chat(lines, *under_way)))
        async with asyncio.timeout(30):
            await run_chat(Settings(data_dir=tmp_path), resume=False, chat_id=None, stack=False, approve=False)
        return lines.shown

    yield program
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(number)


async def test_a_server_that_is_away_for_a_moment_is_asked_again(program: Program) -> None:
    """What is being tried again is shown as soon as it can be known. (ours)"""
    shown = await program(AWAY, AWAY, [AGAIN])

    assert "… model call, attempt 2 of 6: overloaded.\n" in shown
    assert shown.endswith("\nAgent: hello yourself\n")


async def test_a_bug_beside_the_conversation_ends_the_program(program: Program) -> None:
    """It is told as any other, not written over the screen in the end; the chat stays. (ours)"""
    with pytest.raises(KeyError, match="a bug"):
        await program(KeyError("a bug"))
