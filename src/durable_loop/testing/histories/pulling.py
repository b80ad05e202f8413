"""Histories of real workflows, from any Temporal: what a deployment must not break."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.testing.histories.history import RecordedHistory, fetch_history

__all__ = ["Pulled", "file_name", "pulled"]

_UNSAFE: Final = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Pulled:
    """A run that a filter found; it has no history where it was deleted meanwhile."""

    name: str
    history: RecordedHistory | None


async def pulled(client: Client, query: str, *, limit: int) -> AsyncGenerator[Pulled]:
    """Fetch the history of each run that a list filter finds, the newest first, open runs up to now.

    Raises RPCError as the client does: a filter that the server cannot read is INVALID_ARGUMENT, a namespace that is
    missing NOT_FOUND.
    """
    async for execution in client.list_workflows(query, limit=limit):
        name = f"{execution.id} ({execution.run_id})"
        try:
            history = await fetch_history(client.get_workflow_handle(execution.id, run_id=execution.run_id))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            history = None
        yield Pulled(name, history)


def file_name(history: RecordedHistory) -> Path:
    """Return a name for a history's file: its workflow and its run."""
    return Path(f"{_UNSAFE.sub('_', history.workflow_id)}.{history.run_id}.json")
