"""One chat on the screen: what is said in it here, and what others say in it meanwhile."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

from temporalio.service import RPCError, RPCStatusCode

from durable_loop.chat.client import Chat, Decide
from durable_loop.chat.messages import Decision, Question, Reply, Turn
from durable_loop.cli import command_words, screen
from durable_loop.cli.prompt import InterruptedByUser, LineSource
from durable_loop.cli.spoken import reply_of, spoken
from durable_loop.cli.watching import LAST_LOOK, PATIENCE, Watching
from durable_loop.errors import ChatError, ChatUnavailableError, MessageRefusedError

__all__ = ["Talking"]

# How often a chat is looked at while nothing is answered here: what others say in it, what it asks.
FOLLOW_INTERVAL: Final = 1.0  # seconds
# A turn that is just being accepted does not hear of a cancellation: it is told again.
CANCEL_INTERVAL: Final = 1.0


class Talking:
    """A chat, and how much of it is on the screen."""

    def __init__(self, chat: Chat, lines: LineSource, *, begun: bool = False) -> None:
        self.chat = chat
        # Whether there is anything to come back to.
        self.begun = begun
        # What is to be seen below the prompt: what somebody else has begun.
        self.note = ""
        self._lines = lines
        self._newest: str | None = None  # of the turns that are over and on the screen
        self._catching_up = asyncio.Lock()
        self._here: set[str] = set()  # those that are shown by whoever waits for them
        self._watching: Watching | None = None
        self._cancelling: asyncio.Task[None] | None = None
        self._is_told = asyncio.Event()  # the chat, to cancel

    async def join(self) -> tuple[Turn, ...]:
        """Show what was said before; return the turns that are not answered yet."""
        conversation = await self.chat.conversation()
        self._lines.tell(spoken(conversation.lines, self._lines.look()))
        self._newest = conversation.settled[-1] if conversation.settled else None
        return conversation.open

    async def say(self, text: str) -> None:
        """Send a message and show what comes of it."""
        turn_id = uuid4().hex
        self.begun = True
        await self._show(turn_id, self.chat.send(text, turn_id=turn_id, decide=self._deciding(own=turn_id)))

    async def wait_for(self, turn: Turn) -> None:
        """Show a message that was sent before, and what comes of it."""
        self._lines.tell(screen.said(turn.text))
        await self._show(turn.turn_id, self.chat.reply_to(turn.turn_id, decide=self._deciding()))

    def interrupt(self) -> bool:
        """Cancel the turn that is waited for here; False where there is none, or it is cancelled already."""
        if self._watching is None or self._cancelling is not None:
            return False
        self._watching.is_cancelled = True
        self._is_told.clear()
        self._cancelling = asyncio.create_task(self._cancel(self._watching.turn_id))
        return True

    async def tell_before_leaving(self) -> None:
        """Have the chat told what is to be cancelled, if that can be done soon."""
        if self._cancelling is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_LOOK):
                    await self._is_told.wait()

    async def follow(self) -> None:
        """Show what others say while nothing is answered here, until cancelled."""
        seen: object = None
        while True:
            await asyncio.sleep(FOLLOW_INTERVAL)
            if not self.begun or self._watching is not None:
                continue
            try:
                async with asyncio.timeout(PATIENCE):
                    described = await self.chat.handle.describe()
                    if seen != (now := (described.run_id, described.history_length)):
                        await self.catch_up()
                        await self._take_note()
                        seen = now
            except (RPCError, TimeoutError, ChatUnavailableError) as error:
                seen = None
                if not (isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND):
                    self._note(screen.away())

    async def answer_questions(self) -> None:
        """Have the user answer what the chat asks, whoever began it."""
        asked = (await self.chat.status()).questions
        if not asked:
            self._lines.tell(command_words.nothing_asked())
        for question in asked:
            try:
                is_answered = await self.chat.ask(question, self._deciding())
            except InterruptedByUser:
                return  # what is asked stays open
            if not is_answered:
                self._lines.tell(command_words.nobody_to_ask())

    def _deciding(self, *, own: str | None = None) -> Decide:
        """Have questions answered where the lines come from; `own` is the turn that was begun here."""

        async def decide(question: Question) -> Decision | None:
            return await self._lines.decide(question, own=question.turn_id == own)

        return decide

    async def _show(self, turn_id: str, answer: Coroutine[Any, Any, Reply]) -> None:
        failed = ""
        self._here.add(turn_id)
        self._note("")
        with self._lines.answering() as answering:
            watching = self._watching = Watching(self.chat, turn_id, answering)
            try:
                reply = await self._watched(watching, answer)
                await watching.look_back()
                await self.catch_up(until=turn_id)
                answering.finish(reply)
            except ChatError as error:
                await watching.look_back()
                failed = screen.failure(error)
            except RPCError as error:
                failed = screen.failure(MessageRefusedError(f"Temporal did not take the message: {error.message}"))
            finally:
                self._watching = None
                if self._cancelling is not None:
                    self._cancelling.cancel()
                    self._cancelling = None
        if failed:
            self._lines.complain(failed)

    async def _watched(self, watching: Watching, answer: Coroutine[Any, Any, Reply]) -> Reply:
        """Wait for a reply; meanwhile the user sees what happens."""
        looking = asyncio.create_task(watching.go_on())
        try:
            return await _unless_it_breaks(looking, answer)
        except InterruptedByUser:  # in place of an answer to a question
            self.interrupt()
            return await _unless_it_breaks(looking, self.chat.reply_to(watching.turn_id))
        finally:
            looking.cancel()
            await asyncio.wait({looking})

    async def _cancel(self, turn_id: str) -> None:
        while True:
            with suppress(RPCError):  # the server is away, or the chat has not begun
                await self.chat.cancel(turn_id)
                self._is_told.set()
            await asyncio.sleep(CANCEL_INTERVAL)

    async def catch_up(self, *, until: str | None = None) -> None:
        """Show the turns of others that are over: all, or those before one of ours."""
        async with self._catching_up:  # one after the other, so that each is shown once
            await self._show_settled(until)

    async def _show_settled(self, until: str | None) -> None:
        with suppress(RPCError, TimeoutError, ChatUnavailableError):  # they are shown the next time
            async with asyncio.timeout(LAST_LOOK):
                over = await self.chat.settled(after=self._newest)
            for outcome in over:
                if outcome.turn_id not in self._here:
                    self._lines.tell(screen.elsewhere(outcome))
                    self._lines.tell(reply_of(outcome, self._lines.look()))
                self._newest = outcome.turn_id
                if outcome.turn_id == until:
                    return

    async def _take_note(self) -> None:
        status = await self.chat.status()
        self._note(screen.elsewhere_now(status))

    def _note(self, note: str) -> None:
        self.note = note
        self._lines.refresh()


async def _unless_it_breaks(looking: asyncio.Task[None], answer: Coroutine[Any, Any, Reply]) -> Reply:
    """Return the answer; a bug in what looks on meanwhile is raised at once."""
    answering = asyncio.create_task(answer)
    try:
        await asyncio.wait({looking, answering}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            looking.result()
        return answering.result()
    finally:
        answering.cancel()
        await asyncio.wait({answering})
