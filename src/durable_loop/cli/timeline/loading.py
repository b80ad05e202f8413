"""Where the runs of a chat come from: a server, or a file."""

from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.cli.timeline.reading import timeline
from durable_loop.cli.timeline.value import Timeline
from durable_loop.testing.histories.history import RecordedHistory, fetch_history

__all__ = ["of_chat", "of_file"]


def of_file(path: Path) -> Timeline:
    """Return the timeline of a run of a chat that was written to a file.

    Raises:
        SettingsError: the file cannot be read, or holds no history of a chat.
    """
    return timeline([RecordedHistory.read(path)])


async def of_chat(client: Client, chat_id: str) -> Timeline:
    """Return the timeline of a chat up to now, from all its runs that are still there.

    Raises:
        SettingsError: its history cannot be read as that of a chat.
    """
    runs = [await fetch_history(client.get_workflow_handle(chat_id))]
    while (earlier := runs[0].earlier_run_id) is not None:
        try:
            runs.insert(0, await fetch_history(client.get_workflow_handle(chat_id, run_id=earlier)))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            break  # its retention is over: a long chat outlives its first runs
    return timeline(runs, now=datetime.now(UTC))
