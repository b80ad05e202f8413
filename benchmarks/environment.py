"""What a test costs once the environment is up: `uv run python -m benchmarks.environment`.

Twenty rounds of each; what counts are the ratios.
"""

import asyncio
import logging
import statistics
import time
from typing import Final

from durable_loop.testing import Environment, Script, says

ROUNDS: Final = 20
FRESH_CHAT: Final = "a fresh chat of an agent, with its first turn: both MCP servers listed, a model call"
SCRIPT: Final = Script(says("Hello."), says("Well."))


async def main() -> None:
    """Measure and print."""
    logging.disable()
    seconds: dict[str, list[float]] = {}

    def took(what: str, since: float) -> float:
        seconds.setdefault(what, []).append(time.monotonic() - since)
        return time.monotonic()

    started = time.monotonic()
    async with Environment.start() as env:
        took("the environment (dev server) is up", started)
        async with env.agent(SCRIPT) as agent:  # the first one starts the finance and IT workers as well
            for _ in range(ROUNDS):
                chat, since = agent.chat(), time.monotonic()
                await chat.send("Hi")
                since = took(FRESH_CHAT, since)
                await chat.send("Hi")
                took("its second turn", since)
        for _ in range(ROUNDS):
            started = time.monotonic()
            async with env.agent(SCRIPT) as agent:
                chat = agent.chat()
                since = took("a fresh agent: a worker of its own", started)
                await chat.send("Hi")
                since = took("the first turn of its first chat", since)
                await chat.send("Hi")
                since = time.monotonic()
            took("the end: its history replayed, its worker stopped", since)
    median = {what: statistics.median(measured) for what, measured in seconds.items()}
    first = median[FRESH_CHAT]
    print("| | ms | ratio |\n|---|---|---|")  # noqa: T201
    for what, measured in median.items():
        print(f"| {what} | {measured * 1000:.0f} | {measured / first:.1f} |")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
