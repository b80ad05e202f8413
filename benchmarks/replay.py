"""How long a worker replays a chat that it takes over: `uv run python -m benchmarks.replay`.

It has ten seconds (Temporal's workflow task timeout), which bounds how long a run of a chat may be
(`ChatPolicy.max_run_events`, `full_run_events`). The time must grow with the events alone: each
chat is measured at two lengths, which take turns. Prints a Markdown table; takes two minutes.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Final

from durable_loop.chat.messages import CarriedChat, Item
from durable_loop.testing import Environment, RecordedHistory, Script, calls, replay_history, says
from durable_loop.testing.own_agent import CHAT

ROUNDS: Final = 7


@dataclass(frozen=True)
class Length:
    """How long a chat is: its turns, the tool calls of each, and the items of half a kilobyte said in earlier runs."""

    turns: int
    calls_each: int
    carried: int = 0


COMPARED: Final = (
    ("a tool each turn: 30 and 60 turns", Length(30, 1), Length(60, 1)),
    ("one turn: 60 and 120 tool calls", Length(1, 60), Length(1, 120)),
    # A run with the largest budget, DURABLE_LOOP_MAX_TRANSCRIPT_TOKENS=200000, starts with no more.
    ("one turn, 120 tool calls: nothing and 800 kB said before", Length(1, 120), Length(1, 120, carried=1_450)),
)


async def recorded(env: Environment, length: Length) -> RecordedHistory:
    """Hold a chat, and return its history."""
    turn = [*(calls("calculator", expression=f"{number}+1") for number in range(length.calls_each)), says("x" * 500)]
    # Of no turn: the script counts what user and model say.
    item: Item = {"type": "function_call_output", "call_id": "1", "output": "o" * 500}
    async with env.agent(Script(*turn * length.turns)) as agent:
        chat = agent.chat(
            max_run_events=50_000,
            full_run_events=50_000,
            max_model_calls=length.calls_each + 1,
            max_transcript_tokens=1_000_000,
        )
        carried = CarriedChat(transcript=(item,) * length.carried)
        chat.start = chat.start.model_copy(update={"carried": carried})
        for _ in range(length.turns):
            await chat.send("m" * 500)
        return await chat.history()


async def replayed(*histories: RecordedHistory) -> list[float]:
    """Return the median seconds of the replay of each history; they take turns, on a machine that others use too."""
    rounds: list[list[float]] = []
    for _ in range(ROUNDS):
        rounds.append([])
        for history in histories:
            started = time.monotonic()
            await replay_history(history, CHAT.replayer)
            rounds[-1].append(time.monotonic() - started)
    return [statistics.median(seconds) for seconds in zip(*rounds, strict=True)]


async def main() -> None:
    """Measure and print."""
    print("| | events | seconds | ms an event | events ratio | time ratio |\n|---|---|---|---|---|---|")  # noqa: T201
    async with Environment.start() as env:
        for what, short, long in COMPARED:
            histories = [await recorded(env, length) for length in (short, long)]
            events, more = (len(history.event_types) for history in histories)
            seconds, longer = await replayed(*histories)
            ratios = f"{more / events:.2f} | {longer / seconds:.2f}"
            print(f"| {what} | {more} | {longer:.1f} | {longer / more * 1000:.1f} | {ratios} |")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
