"""How fast a corpus of histories replays: `uv run python -m benchmarks.corpus`.

Thirty histories of 75 events (the beginning of a stored chat, read anew for each), after everything is imported and one
was replayed. The rows take turns, three rounds; what counts are the ratios.
"""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from durable_loop.testing import HistoryStore, RecordedHistory, replay_histories, replay_history, replay_prefixes
from durable_loop.testing.own_agent import CHAT

HISTORIES: Final = 30
EVENTS: Final = 75
ROUNDS: Final = 3
STORE: Final = HistoryStore(Path(__file__).parents[1] / "fixtures" / "histories")


async def at_once(corpus: list[RecordedHistory]) -> None:
    """Replay all with one replayer, what is sent compared."""
    async for replayed in replay_histories(corpus, CHAT.replayer):
        if replayed.error is not None or replayed.drift:
            raise RuntimeError(f"{replayed.error or replayed.drift}")


async def one_each(corpus: list[RecordedHistory]) -> None:
    """Replay each with a replayer of its own."""
    for history in corpus:
        await replay_history(history, CHAT.replayer)


async def every_boundary(corpus: list[RecordedHistory]) -> None:
    """Replay each from every boundary of its workflow tasks."""
    for history in corpus:
        await replay_prefixes(history, CHAT.replayer)


async def two_processes(processes: ProcessPoolExecutor, corpus: list[RecordedHistory]) -> None:
    """Replay half of them in each of two processes, what is sent compared."""
    loop = asyncio.get_running_loop()
    halves = (corpus[::2], corpus[1::2])
    await asyncio.gather(*(loop.run_in_executor(processes, in_a_process, half) for half in halves))


def in_a_process(corpus: list[RecordedHistory]) -> None:
    """Replay some in this process."""
    asyncio.run(at_once(corpus))


def read(number: int) -> list[RecordedHistory]:
    """Return so many histories, none of which has been replayed."""
    beginning = STORE.read(STORE.entry("chat/mcp-tools")).prefix(EVENTS)
    return [RecordedHistory(beginning.workflow_id, dict(beginning.as_json())) for _ in range(number)]


WAYS: Final[dict[str, Callable[[list[RecordedHistory]], Awaitable[None]]]] = {
    "one replayer for all": at_once,
    "a replayer each": one_each,
    "every boundary of each": every_boundary,
}


async def main() -> None:
    """Measure and print."""
    await one_each(read(1))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        await two_processes(processes, read(2))  # imports everything there
        ways = {**WAYS, "two processes, one replayer in each": partial(two_processes, processes)}
        seconds: dict[str, list[float]] = {what: [] for what in ways}
        for _ in range(ROUNDS):
            for what, way in ways.items():
                corpus = read(HISTORIES)
                started = time.monotonic()
                await way(corpus)
                seconds[what].append(time.monotonic() - started)
    first = statistics.median(seconds["one replayer for all"])
    print("| | seconds | histories a second | ratio |\n|---|---|---|---|")  # noqa: T201
    for what, measured in seconds.items():
        median = statistics.median(measured)
        print(f"| {what} | {median:.1f} | {HISTORIES / median:.0f} | {median / first:.1f} |")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
