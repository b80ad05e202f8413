"""How long a person waits at the terminal: `uv run python -m benchmarks.terminal`.

The real program in a real pseudo-terminal, with workers that run already. The model gives a block when it is told to,
so that its own time is none of this. Prints a Markdown table; needs a minute.
"""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Final

import pexpect

from durable_loop.testing import Agent, Environment, Script, streams
from durable_loop.testing.processes import variables

ROUNDS: Final = 7
TIMEOUT: Final = 60
ROOT: Final = Path(__file__).parents[1]
PROMPT, REPLY = "You:", "Agent: One."


def one_round(env: Environment, agent: Agent) -> tuple[float, float]:
    """Return the seconds from the start of the program to its prompt, and from the first Enter to the reply."""
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
        return prompt - started, time.monotonic() - prompt
    finally:
        child.close(force=True)


async def main() -> None:
    """Measure and print."""
    script = Script(streams("One.\n\n", "Two."))
    async with Environment.start() as env, env.agent(script) as agent:
        rounds = [await asyncio.to_thread(one_round, env, agent) for _ in range(ROUNDS)]
    sys.stdout.write("| | median | from | to |\n|---|---|---|---|\n")
    for name, seconds in zip(
        ("the prompt is there", "the first block of the first reply is there, after Enter at the first prompt"),
        zip(*rounds, strict=True),
        strict=True,
    ):
        median = statistics.median(seconds)
        sys.stdout.write(f"| {name} | {median:.2f} s | {min(seconds):.2f} s | {max(seconds):.2f} s |\n")


if __name__ == "__main__":
    asyncio.run(main())
