"""How long a turn is held up when the worker that runs it goes: `uv run python -m benchmarks.recovery`.

Each row is measured on real processes (`durable_loop.testing.Fleet`) with the default settings and, side
by side in the same run, with the timeouts that a worker has when nobody sets any. The model itself
takes no time. Prints a Markdown table; needs about five minutes.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from durable_loop import names
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.chat.client import Chat, new_chat_id
from durable_loop.chat.messages import ChatInput
from durable_loop.settings import Settings
from durable_loop.testing import CrashPoint, Fleet, Role
from durable_loop.testing.model_calls import PROVIDER

ROUNDS: Final = 3
OURS: Final = Settings(model_provider=PROVIDER)
# The defaults of the Agents plugin (a model call has 60 s and no heartbeat) and of a Temporal worker.
PLAIN: Final = OURS.model_copy(
    update={
        "heartbeat_timeout": timedelta(seconds=60),
        "model_timeout": timedelta(seconds=60),
        "sticky_queue_timeout": timedelta(seconds=10),
        "first_retry_after": timedelta(seconds=1),
    }
)

Measure = Callable[[Fleet, Chat], Awaitable[float]]


async def killed_and_another_runs(fleet: Fleet, chat: Chat) -> float:
    """SIGKILL in mid model call, from the kill to the reply; a second worker runs."""
    fleet.arm(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)
    sending = asyncio.create_task(chat.send("What is my name?"))
    worker = await fleet.stopped(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)
    killed_at = time.monotonic()
    await worker.kill()
    await sending
    return time.monotonic() - killed_at


async def killed_and_started_again(fleet: Fleet, chat: Chat) -> float:
    """SIGKILL of every worker in mid model call, from the kill to the reply; one is started again at once."""
    fleet.arm(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)
    sending = asyncio.create_task(chat.send("What is my name?"))
    await fleet.stopped(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)
    first, *others = fleet.having(Role.ORCHESTRATOR_WORKER)
    killed_at = time.monotonic()
    await asyncio.gather(first.kill(), *(worker.kill() for worker in others))
    await first.start()
    await sending
    return time.monotonic() - killed_at


async def stopped_gracefully(fleet: Fleet, chat: Chat) -> float:
    """SIGTERM in mid model call, from the end of the process to the reply; a second worker runs."""
    with fleet.holding(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL):
        sending = asyncio.create_task(chat.send("What is my name?"))
        first, second = fleet.having(Role.ORCHESTRATOR_WORKER)
        stopping = await _the_one_that_asks(chat, first.pid)
        worker = first if stopping else second
        await worker.stop()
        stopped_at = time.monotonic()
    await sending
    return time.monotonic() - stopped_at


async def _the_one_that_asks(chat: Chat, pid: int | None) -> bool:
    """Whether the process with this id runs the chat's model call; waits until one does."""
    while True:
        described = await chat.handle.describe()
        for pending in described.raw_description.pending_activities:
            if pending.last_worker_identity:
                return pending.last_worker_identity.startswith(f"{pid}@")
        await asyncio.sleep(0.02)


ROWS: Final[dict[str, Measure]] = {
    "killed in mid model call, another worker runs: kill → reply": killed_and_another_runs,
    "all workers killed in mid model call, one started again: kill → reply": killed_and_started_again,
    "stopped (SIGTERM) in mid model call, another worker runs: exit → reply": stopped_gracefully,
}


async def measured(settings: Settings, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every round of every row."""
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="durable-loop-") as folder:
        async with Fleet.start(Path(folder, "fleet"), settings) as fleet:
            for what, measure in ROWS.items():
                seconds[what] = []
                for _ in range(rounds):
                    start = ChatInput(model=names.MODEL_OFFLINE, policy=chat_policy(fleet.settings))
                    chat = Chat(await fleet.client(), new_chat_id(), start)
                    await chat.send("My name is Ada")
                    seconds[what].append(await measure(fleet, chat))
                    await fleet.heal()
    return seconds


async def main() -> None:
    """Measure and print."""
    ours = await measured(OURS, ROUNDS)
    plain = await measured(PLAIN, 1)
    print("| | durable-loop | nobody sets timeouts | ratio |\n|---|---|---|---|")  # noqa: T201
    for what, values in ours.items():
        median, other = statistics.median(values), statistics.median(plain[what])
        spread = f"{median:.1f} s ({min(values):.1f} to {max(values):.1f})"
        print(f"| {what} | {spread} | {other:.1f} s | {other / median:.1f} |")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
