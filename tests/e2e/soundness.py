"""What holds of every run of a chat: small enough for its server, and no workflow task that failed.

The server ends a workflow at 50,000 events or 50 MB and takes payloads of 2 MB; a run stays well below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from durable_loop.testing import Environment, TestedChat, fetch_runs

__all__ = ["Limits", "Run", "check_run", "size", "sound_runs"]

Run = Sequence[HistoryEvent]


@dataclass(frozen=True)
class Limits:
    """The most that a run may have. An event holds its payloads, so none of these is larger."""

    events: int = 10_000
    run_bytes: int = 10_000_000
    event_bytes: int = 2_000_000


async def sound_runs(env: Environment, chat: TestedChat) -> list[Run]:
    """Return the events of each run of a chat, the first run first, once every one was checked."""
    runs: list[Run] = [run.for_replay().events for run in await fetch_runs(await env.client(), chat.chat_id)]
    for run in runs:
        check_run(run)
    return runs


def check_run(run: Run, most: Limits | None = None) -> None:
    """Assert that a run is sound."""
    most = most or Limits()
    assert len(run) <= most.events
    assert size(run) <= most.run_bytes
    assert max(event.ByteSize() for event in run) < most.event_bytes
    assert not [event for event in run if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]


def size(run: Run) -> int:
    """Return the bytes of some events."""
    return sum(event.ByteSize() for event in run)
