"""Where a history is cut, and what becomes of a replay that does not end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import WorkflowReplayResult

from durable_loop.testing import RecordedHistory, replay_histories
from durable_loop.testing.histories import MakeReplayer, replaying
from durable_loop.testing.histories.replaying import boundaries
from tests.requirements import requirement
from tests.unit.testing.histories.samples import STORE, history

KINDS = ("EXECUTION_STARTED", "TASK_SCHEDULED", "TASK_STARTED", "TASK_COMPLETED")


@requirement("temporal.boundaries")
def test_a_history_is_cut_as_a_task_has_begun_and_before_the_next_is_scheduled() -> None:
    """Not before event 2, and not at its end. (Temporal)"""
    first = [f"EVENT_TYPE_WORKFLOW_{kind}" for kind in KINDS]
    then = ["EVENT_TYPE_TIMER_STARTED", "EVENT_TYPE_TIMER_FIRED", *first[1:]]

    assert boundaries([*first, *then]) == [3, 6, 8]


def test_every_workflow_task_of_a_stored_history_is_a_boundary() -> None:
    """Of each one. (ours)"""
    for entry in STORE.entries():
        kinds = history(entry.id).event_types
        tasks = kinds.count("EVENT_TYPE_WORKFLOW_TASK_STARTED")
        assert tasks <= len(boundaries(kinds)) + 1 <= 2 * tasks + 1


class _Hangs:
    """A replayer whose first history never ends."""

    def __init__(self, interceptors: object, *, plugins: object) -> None:
        _ = interceptors, plugins

    @asynccontextmanager
    async def workflow_replay_iterator(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AsyncGenerator[AsyncIterator[WorkflowReplayResult]]:
        """Give what a real one gives, but for a history with this id."""

        async def results() -> AsyncIterator[WorkflowReplayResult]:
            async for replaying_now in histories:
                if replaying_now.workflow_id == "hangs":
                    await asyncio.Event().wait()
                yield WorkflowReplayResult(replaying_now, None)

        yield results()


async def test_a_replay_that_does_not_end_is_told_and_the_others_have_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None is left without a result. (ours)"""
    monkeypatch.setattr(replaying, "REPLAY_TIMEOUT", timedelta(seconds=0.05))
    one = dict(history().as_json())
    names = ["first", "hangs", "third", "hangs", "fifth"]
    corpus = [RecordedHistory(name, one) for name in names]

    found = [replayed async for replayed in replay_histories(corpus, cast("MakeReplayer", _Hangs), names=names)]

    assert [replayed.history.workflow_id for replayed in found] == names
    assert [replayed.error is not None for replayed in found] == [False, True, False, True, False]
    assert "hangs does not replay: the replay does not come to an end" in str(found[1].error)
