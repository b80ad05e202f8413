"""The runs of a chat, followed from the newest one back."""

from dataclasses import dataclass
from typing import cast

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.cli.timeline.loading import of_chat
from durable_loop.testing import RecordedHistory
from tests.unit.cli.timeline.made import MadeHistory, said


@dataclass
class Handle:
    """A run that its server has, or not."""

    run: RecordedHistory | None
    status: RPCStatusCode

    async def fetch_history(self) -> WorkflowHistory:
        """Return its history."""
        if self.run is None:
            raise RPCError("no such run", self.status, b"")
        return self.run.for_replay()


@dataclass
class Server:
    """Knows runs by their ids; the newest has none."""

    runs: dict[str | None, RecordedHistory]
    status: RPCStatusCode = RPCStatusCode.NOT_FOUND

    def get_workflow_handle(self, _workflow_id: str, *, run_id: str | None = None) -> Handle:
        """Return a handle, whether there is such a run or not."""
        return Handle(self.runs.get(run_id), self.status)


def run(number: int) -> RecordedHistory:
    """Return a run with one turn, which came after the one before."""
    made = MadeHistory({"turns": number - 1})
    made.events[0]["workflowExecutionStartedEventAttributes"]["continuedExecutionRunId"] = f"run-{number - 1}"
    made.asks(f"t{number}", "Hi")
    made.model(said("Hello."))
    return made.history()


async def test_runs_are_followed_back_as_far_as_they_are_there() -> None:
    """A long chat outlives its first runs: their retention is over. (ours)"""
    server = Server({None: run(3), "run-2": run(2)})

    told = await of_chat(cast("Client", server), "chat-made")
    assert [turn.number for turn in told.turns] == [2, 3]
    assert (told.runs, told.turns_before) == (2, 1)


async def test_a_server_that_does_not_answer_is_no_end_of_the_runs() -> None:
    """Half a chat would be taken for a whole one. (ours)"""
    server = Server({None: run(3)}, RPCStatusCode.UNAVAILABLE)

    with pytest.raises(RPCError, match="no such run"):
        await of_chat(cast("Client", server), "chat-made")
