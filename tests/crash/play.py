"""Play a story against a fleet, undisturbed or with a cell's victim killed in it, and see what came of it."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from durable_loop import names
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.chat.client import Chat, new_chat_id
from durable_loop.chat.messages import ChatInput
from durable_loop.testing import Fleet, Member, RecordedHistory, fetch_runs
from tests.crash.cells import Cell, Victim
from tests.crash.stories import Story
from tests.e2e.effects import effects
from tests.e2e.terminal import Terminal

__all__ = ["Outcome", "disturbed", "disturbed_in_the_terminal", "new_chat", "undisturbed"]

# How a process is ended.
End = Callable[[Member], Coroutine[Any, Any, object]]


@dataclass(frozen=True)
class Outcome:
    """What a story left behind."""

    transcript: list[tuple[str, str]]
    # Of the outside world: prices asked for, addresses tracked.
    effects: tuple[int, int]
    runs: list[RecordedHistory]
    # Seconds from the kill to the end of the step that it disturbed.
    recovery: float = 0.0

    @property
    def remembers(self) -> bool:
        """Whether the last reply knows what the first message said."""
        return self.transcript[-1] == ("agent", "Your name is Ada.")


async def undisturbed(fleet: Fleet, story: Story) -> Outcome:
    """Play a story while everything runs."""
    chat = await new_chat(fleet, story)
    for step in story.steps:
        await step(fleet, chat)
    return await _outcome(fleet, chat)


async def disturbed(fleet: Fleet, cell: Cell, *, end: End = Member.kill) -> Outcome:
    """Play the cell's story; its victim dies in it (by `end`) and is started again."""
    moment = cell.moment
    chat = await new_chat(fleet, moment.story)
    recovery = 0.0
    for number, step in enumerate(moment.story.steps):
        if number == moment.step:
            recovery = await _disturb(fleet, cell, step(fleet, chat), end)
        else:
            await step(fleet, chat)
    return await _outcome(fleet, chat, recovery)


async def disturbed_in_the_terminal(fleet: Fleet, cell: Cell, shown: list[str]) -> Outcome:
    """Play the cell's step in the terminal program, which is killed too, and go on in a new one.

    `shown` is what the screen ends in after each step.
    """
    moment, story = cell.moment, cell.moment.story
    environment = {**os.environ, **fleet.environment}
    chat = await new_chat(fleet, story)
    for step in story.steps[: moment.step]:
        await step(fleet, chat)
    resume = ("--resume", chat.chat_id) if moment.step else ()
    async with Terminal.running("client.py", "--no-stack", *resume, environment=environment) as terminal:
        await terminal.shows(story.prompts[moment.step])
        if moment.point is not None:
            fleet.arm(moment.role, moment.point)
            terminal.say(story.typed[moment.step])
            await fleet.stopped(moment.role, moment.point)
        terminal.signal(signal.SIGKILL)
        killed_at = await _end(_victims(fleet, cell.victim, None), Member.kill)
        await terminal.ended()
    await fleet.heal()

    async with Terminal.running("client.py", "--no-stack", "--resume", environment=environment) as terminal:
        if moment.point is None:
            await terminal.shows(story.prompts[moment.step])
            terminal.say(story.typed[moment.step])
        await terminal.shows(shown[moment.step])
        recovery = time.monotonic() - killed_at
        for typed, reply in zip(story.typed[moment.step + 1 :], shown[moment.step + 1 :], strict=True):
            terminal.say(typed)
            await terminal.shows(reply)
        terminal.say("quit")
        await terminal.ended()
        chat_id = terminal.text.rpartition("--resume ")[2]
    return await _outcome(fleet, Chat(await fleet.client(), chat_id, ChatInput(model=names.MODEL_OFFLINE)), recovery)


async def _disturb(fleet: Fleet, cell: Cell, step: Coroutine[Any, Any, None], end: End) -> float:
    """End the victim at the cell's moment; return how long the step took from then on."""
    moment = cell.moment
    async with asyncio.TaskGroup() as tasks:
        if moment.point is None:
            killed_at = await _end(_victims(fleet, cell.victim, None), end)
            running = tasks.create_task(step)
        else:
            fleet.arm(moment.role, moment.point)
            running = tasks.create_task(step)
            stopped = await fleet.stopped(moment.role, moment.point)
            killed_at = await _end(_victims(fleet, cell.victim, stopped), end)
        # A bystander that was stopped goes on at once, whoever is dead meanwhile.
        tasks.create_task(fleet.heal())
        await running
        return time.monotonic() - killed_at


async def _end(victims: list[Member], end: End) -> float:
    ended_at = time.monotonic()
    await asyncio.gather(*(end(member) for member in victims))
    return ended_at


def _victims(fleet: Fleet, victim: Victim, stopped: Member | None) -> list[Member]:
    """Return who dies: the one that is stopped where it has the victim's role, else all who have it."""
    if stopped is not None and victim is not Victim.ALL and stopped.role in victim.roles:
        return [stopped]
    return [member for role in victim.roles for member in fleet.having(role)]


async def new_chat(fleet: Fleet, story: Story) -> Chat:
    """Return a chat with the story's limits."""
    policy = chat_policy(fleet.settings).model_copy(update=dict(story.policy))
    return Chat(await fleet.client(), new_chat_id(), ChatInput(model=names.MODEL_OFFLINE, policy=policy))


async def _outcome(fleet: Fleet, chat: Chat, recovery: float = 0.0) -> Outcome:
    return Outcome(
        transcript=[(line.role, line.text) for line in await chat.transcript()],
        effects=await effects(fleet.client, chat.chat_id),
        runs=await fetch_runs(await fleet.client(), chat.chat_id),
        recovery=recovery,
    )
