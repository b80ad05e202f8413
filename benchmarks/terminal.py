"""How long a person waits at the terminal: `uv run python -m benchmarks.terminal`.

The real program in a real pseudo-terminal, with workers that run already. The model takes no time for its first word,
and a second for the next. Prints a Markdown table; needs a minute.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pexpect
from agents import Model, ModelProvider, ModelResponse
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseTextDeltaEvent

from durable_loop.testing import Agent, Environment, FakeModel, Script, streams
from durable_loop.testing.processes import variables

ROUNDS: Final = 7
TIMEOUT: Final = 60
ROOT: Final = Path(__file__).parents[1]
PROMPT, REPLY = "You:", "Agent: One"


class Speaks(Model, ModelProvider):
    """Says a word, and the rest a second later; knows when it gave the first one."""

    def __init__(self) -> None:
        self.gave = 0.0
        self._model = FakeModel(Script(streams("One", " two.")))

    def get_model(self, model_name: str | None) -> Model:
        """Return the model, whatever its name."""
        del model_name
        return self

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Return the whole."""
        return await self._model.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Yield the events, and wait after the first word."""
        async for event in self._model.stream_response(*args, **kwargs):
            if isinstance(event, ResponseTextDeltaEvent) and event.delta == "One":
                self.gave = time.monotonic()
                yield event
                await asyncio.sleep(1)
            else:
                yield event


def one_round(env: Environment, agent: Agent, model: Speaks) -> tuple[float, float, float]:
    """Return the seconds from the start to the prompt, from Enter to the first word, and from the model to there."""
    environment = {**os.environ, **variables(agent.settings), "TEMPORAL_ADDRESS": env.address, "TERM": "xterm"}
    environment["PROMPT_TOOLKIT_NO_CPR"] = "1"
    started = time.monotonic()
    child: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable, ["client.py", "--no-stack"], cwd=str(ROOT), env=environment, timeout=TIMEOUT
    )
    try:
        child.expect_exact(PROMPT)
        prompt = time.monotonic()
        child.send(b"Count\r")
        child.expect_exact(REPLY)
        seen = time.monotonic()
        child.expect_exact("One two.")  # a worker that ends in mid turn has much to say
        return prompt - started, seen - prompt, seen - model.gave
    finally:
        child.close(force=True)


async def main() -> None:
    """Measure and print."""
    model = Speaks()
    async with Environment.start() as env, env.agent(model) as agent:
        rounds = [await asyncio.to_thread(one_round, env, agent, model) for _ in range(ROUNDS)]
    sys.stdout.write("| | median | from | to |\n|---|---|---|---|\n")
    for name, seconds in zip(
        (
            "the prompt is there",
            "the first word of the first reply is there, after Enter at the first prompt",
            "the same, after the model gave it",
        ),
        zip(*rounds, strict=True),
        strict=True,
    ):
        median = statistics.median(seconds)
        sys.stdout.write(f"| {name} | {median:.2f} s | {min(seconds):.2f} s | {max(seconds):.2f} s |\n")


if __name__ == "__main__":
    asyncio.run(main())
