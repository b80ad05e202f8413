"""A program for `test_provider_wire`: one turn with a model, and every address that the process wanted to reach.

An audit hook sees each look-up and connection; what does not go to the loopback interface is
noted and refused, so that not even the test of a leak leaves this machine.

Usage: python talk_to_provider.py MODEL    prints one JSON object: {"reply": …, "addresses": […]}
"""

import asyncio
import json
import os
import sys
from datetime import timedelta
from typing import Any

from durable_loop.models.quiet import set_quiet_environment

LOOPBACK = ("127.0.0.1", "::1", "localhost")
addresses: set[str] = set()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"socket.getaddrinfo", "socket.connect"}:
        return
    address: Any = arguments if event == "socket.getaddrinfo" else arguments[1]
    if isinstance(address, str | bytes):  # a Unix socket's
        return
    host, port = address[:2]
    addresses.add(f"{host}:{port}")
    if host not in LOOPBACK:
        raise OSError(f"not from a test: {host}")


async def one_turn(model: str) -> str:
    from agents import Agent, RunConfig, Runner, function_tool  # noqa: PLC0415 - after the environment is set

    from durable_loop.models.provider import DurableModelProvider  # noqa: PLC0415 - same

    @function_tool
    def calculator(expression: str) -> str:
        """Work out an expression."""
        return f"{expression} is 345"

    provider = DurableModelProvider(timeout=timedelta(seconds=30))
    agent = Agent(name="agent", tools=[calculator], model=model)
    result = await Runner.run(agent, "Calculate 15 * 23", run_config=RunConfig(model_provider=provider))
    await provider.aclose()
    return str(result.final_output)


def flush_traces() -> None:
    from agents.tracing import get_trace_provider  # noqa: PLC0415 - after the environment is set

    get_trace_provider().shutdown()


def main() -> None:
    sys.addaudithook(watch)
    set_quiet_environment(os.environ)
    reply = asyncio.run(one_turn(sys.argv[1]))
    flush_traces()
    print(json.dumps({"reply": reply, "addresses": sorted(addresses)}))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
