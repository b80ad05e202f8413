"""Replay a recorded history on this code, without a server."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio.worker import Replayer

from durable_loop.testing.errors import NonDeterminismFoundError
from durable_loop.testing.histories.history import RecordedHistory

__all__ = ["replay_history"]

# Replay of a few hundred events takes well under a second; a history of one event would hang for ever.
REPLAY_TIMEOUT: Final = timedelta(seconds=60)
MINIMUM_EVENTS: Final = 2


async def replay_history(history: RecordedHistory, replayer: Replayer, *, name: str = "") -> None:
    """Replay a history. Passes when this code gives the commands that were recorded.

    Raises:
        NonDeterminismFoundError: it does not, or it fails while it replays.
    """
    name = name or history.workflow_id
    if len(history.event_types) < MINIMUM_EVENTS:
        raise NonDeterminismFoundError(history=name, reason="it has fewer than two events: nothing to replay")
    try:
        result = await asyncio.wait_for(
            replayer.replay_workflow(history.for_replay(), raise_on_replay_failure=False),
            REPLAY_TIMEOUT.total_seconds(),
        )
    except TimeoutError as error:
        raise NonDeterminismFoundError(history=name, reason="the replay does not come to an end") from error
    if result.replay_failure is not None:
        raise NonDeterminismFoundError(history=name, reason=str(result.replay_failure)) from result.replay_failure
