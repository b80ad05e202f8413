"""What is said to a chat of the crash matrix, step by step; the library is the client."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import pytest

from durable_loop.chat.client import Chat
from durable_loop.chat.messages import Decision, OpenQuestions, Turn, Verdict
from durable_loop.errors import TurnCancelledError
from durable_loop.testing import CrashPoint, Fleet, Role
from tests.e2e.waiting import activity_runs, eventually

__all__ = ["APPROVED", "CANCELLED", "COMPACTED", "CONTINUED", "DIALOGUE", "ENDED", "MESSAGES", "Step", "Story"]

Step = Callable[[Fleet, Chat], Coroutine[Any, Any, None]]

# The offline model remembers the name only if the transcript does.
MESSAGES: Final = (
    "My name is Ada",
    "Calculate 15 * 23, get the stock price of AAPL and track my IP",
    "What is my name?",
)

# The turn that asks before it tracks the address.
ASKS: Final = "asks"


@dataclass(frozen=True)
class Story:
    """Steps, and the limits of the chat in which they are taken."""

    name: str
    steps: tuple[Step, ...]
    policy: Mapping[str, Any] = field(default_factory=dict[str, Any])
    # What a person types for each step, and what the terminal shows when it can be typed.
    typed: tuple[str, ...] = MESSAGES
    prompts: tuple[str, ...] = ("You:",) * len(MESSAGES)


def says(text: str) -> Step:
    """Send a message and wait for its reply."""

    async def step(_: Fleet, chat: Chat) -> None:
        await chat.send(text)

    return step


def cancels(text: str) -> Step:
    """Send a message, and cancel its turn while the model is being asked."""

    async def step(fleet: Fleet, chat: Chat) -> None:
        turn_id = uuid4().hex
        with fleet.holding(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL):
            sending = asyncio.create_task(chat.send(text, turn_id=turn_id))
            await eventually(lambda: activity_runs(chat, "invoke_model_activity"))
            await chat.cancel(turn_id)
            with pytest.raises(TurnCancelledError):
                await sending

    return step


async def asks(_: Fleet, chat: Chat) -> None:
    """Send a message whose turn asks for something."""
    answer = await chat.send_once(Turn(turn_id=ASKS, text=MESSAGES[1]))
    assert isinstance(answer, OpenQuestions)


async def approves(_: Fleet, chat: Chat) -> None:
    """Allow it, and wait for the reply."""
    await chat.decide(Decision(question_id=f"{ASKS}/1", verdict=Verdict.APPROVE))
    await chat.reply_to(ASKS)


async def compacts(_: Fleet, chat: Chat) -> None:
    """Have the older turns summarised, and wait until they are."""
    await chat.compact()
    await eventually(lambda: _is_summarised(chat), timeout=60)


async def ends(_: Fleet, chat: Chat) -> None:
    """End the chat, and wait until it has ended."""
    await chat.end()
    await chat.handle.result()


async def _is_summarised(chat: Chat) -> bool:
    return (await chat.status()).summarised > 0


SAID: Final = tuple(says(text) for text in MESSAGES)
DIALOGUE: Final = Story("dialogue", SAID)
CONTINUED: Final = Story("continued as new after every turn", SAID, {"max_run_events": 1})
CANCELLED: Final = Story("a turn is cancelled", (*SAID[:2], cancels("Are you there?"), SAID[2]))
APPROVED: Final = Story(
    "a tool asks first",
    (SAID[0], asks, approves, SAID[2]),
    {"approval": ("track_ip",)},
    typed=(*MESSAGES[:2], "y", MESSAGES[2]),
    prompts=("You:", "You:", "Allow it?", "You:"),
)
COMPACTED: Final = Story("older turns are summarised", (*SAID[:2], compacts, SAID[2]))
ENDED: Final = Story("the chat is ended", (*SAID, ends))
