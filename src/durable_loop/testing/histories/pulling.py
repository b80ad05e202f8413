"""Histories of real workflows, from any Temporal: what a deployment must not break."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from temporalio.client import Client

from durable_loop.testing.histories.history import RecordedHistory, fetch_history

__all__ = ["file_name", "pulled"]

_UNSAFE: Final = re.compile(r"[^\w.-]+")


async def pulled(client: Client, query: str, *, limit: int) -> AsyncGenerator[RecordedHistory]:
    """Fetch the history of each run that a list filter finds, the newest first, open runs up to now.

    Raises RPCError as the client does: a filter that the server cannot read is INVALID_ARGUMENT.
    """
    async for execution in client.list_workflows(query, limit=limit):
        yield await fetch_history(client.get_workflow_handle(execution.id, run_id=execution.run_id))


def file_name(history: RecordedHistory) -> Path:
    """Return a name for a history's file: its workflow and its run."""
    return Path(f"{_UNSAFE.sub('_', history.workflow_id)}.{history.run_id}.json")
