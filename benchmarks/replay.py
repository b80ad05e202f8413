"""How long a worker replays a chat that it takes over: `uv run python -m benchmarks.replay`.

It has ten seconds (Temporal's workflow task timeout), which bounds how long a run of a chat may be
(`ChatPolicy.max_run_events`, `full_run_events`). The time must grow with the events alone: each
chat is measured at two lengths, side by side in one run. Prints a Markdown table; takes two minutes.
"""

import asyncio
import statistics
import time
from typing import Final

from durable_loop.bootstrap.orchestrator import replayer
from durable_loop.testing import Environment, Script, calls, replay_history, says

ROUNDS: Final = 3


async def replayed(env: Environment, *, turns: int, calls_each: int) -> tuple[int, float]:
    """Return the events of a chat, and the median seconds of its replay."""
    turn = [*(calls("calculator", expression=f"{number}+1") for number in range(calls_each)), says("x" * 500)]
    async with env.agent(Script(*turn * turns)) as agent:
        chat = agent.chat(max_run_events=50_000, full_run_events=50_000, max_model_calls=calls_each + 1)
        for _ in range(turns):
            await chat.send("m" * 500)
        history = await chat.history()
        seconds: list[float] = []
        for _ in range(ROUNDS):
            started = time.monotonic()
            await replay_history(history, replayer(agent.settings))
            seconds.append(time.monotonic() - started)
    return len(history.event_types), statistics.median(seconds)


async def main() -> None:
    """Measure and print."""
    print("| | events | seconds | ms an event | events ratio | time ratio |\n|---|---|---|---|---|---|")  # noqa: T201
    async with Environment.start() as env:
        for what, short, long in (
            ("a tool each turn: 30 and 60 turns", (30, 1), (60, 1)),
            ("one turn: 60 and 120 tool calls", (1, 60), (1, 120)),
        ):
            events, seconds = await replayed(env, turns=short[0], calls_each=short[1])
            more, longer = await replayed(env, turns=long[0], calls_each=long[1])
            ratios = f"{more / events:.2f} | {longer / seconds:.2f}"
            print(f"| {what} | {more} | {longer:.1f} | {longer / more * 1000:.1f} | {ratios} |")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
