"""How fast a corpus of histories replays: `uv run python -m benchmarks.corpus`.

Thirty histories of 75 events (the beginning of a stored chat), after everything is imported and one was replayed. The
rows take turns, three rounds; what counts are the ratios.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
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


WAYS: Final[dict[str, Callable[[list[RecordedHistory]], Awaitable[None]]]] = {
    "one replayer for all": at_once,
    "a replayer each": one_each,
    "every boundary of each": every_boundary,
}


async def main() -> None:
    """Measure and print."""
    corpus = [STORE.read(STORE.entry("chat/mcp-tools")).prefix(EVENTS)] * HISTORIES
    await one_each(corpus[:1])
    seconds: dict[str, list[float]] = {what: [] for what in WAYS}
    for _ in range(ROUNDS):
        for what, way in WAYS.items():
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
