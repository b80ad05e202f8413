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
            chat = agent.chat()
            _ = await chat.send("Hi"), await chat.send("Hi")
        for _ in range(ROUNDS):
            started = time.monotonic()
            async with env.agent(SCRIPT) as agent:
                chat = agent.chat()
                since = took("a fresh agent with its worker, and a fresh chat", started)
                await chat.send("Hi")
                since = took("its first turn: both MCP servers listed, a model call", since)
                await chat.send("Hi")
                since = took("its second turn", since)
            took("the end: its history replayed, its worker stopped", since)
    median = {what: statistics.median(measured) for what, measured in seconds.items()}
    first = median["a fresh agent with its worker, and a fresh chat"]
    print("| | ms | ratio |\n|---|---|---|")  # noqa: T201
    for what, measured in median.items():
        print(f"| {what} | {measured * 1000:.0f} | {measured / first:.0f} |")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
