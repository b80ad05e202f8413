"""The chats as their server lists them: from visibility and the memo. No chat is asked, and nothing is replayed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from durable_loop import names

__all__ = ["ListedChat", "all_chats", "state_of"]

OPEN: Final = "open"
_STATES: Final = {
    WorkflowExecutionStatus.RUNNING: OPEN,
    WorkflowExecutionStatus.CONTINUED_AS_NEW: OPEN,  # its next run is not listed yet
    WorkflowExecutionStatus.COMPLETED: "ended",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}


@dataclass(frozen=True)
class ListedChat:
    """One chat, all its runs together; None is what nobody noted."""

    chat_id: str
    title: str | None
    model: str | None
    state: str
    start: datetime
    end: datetime | None


async def all_chats(client: Client) -> list[ListedChat]:
    """Return the chats of the client's namespace, the one that began last first."""
    chats = dict[str, list[WorkflowExecution]]()
    async for run in client.list_workflows(f"WorkflowType = '{names.WORKFLOW_CHAT}'"):
        chats.setdefault(run.id, []).append(run)
    listed = [await _listed(sorted(runs, key=lambda run: run.start_time)) for runs in chats.values()]
    return sorted(listed, key=lambda chat: chat.start, reverse=True)


def state_of(status: WorkflowExecutionStatus | None) -> str:
    """Return in a word what became of a chat."""
    return _STATES.get(status or WorkflowExecutionStatus.RUNNING, "?")


async def _listed(runs: Sequence[WorkflowExecution]) -> ListedChat:
    """Put the runs of a chat together, the oldest first."""
    newest = runs[-1]
    state = state_of(newest.status)
    return ListedChat(
        chat_id=newest.id,
        title=await _noted(names.MEMO_TITLE, runs),
        model=await _noted(names.MEMO_MODEL, runs),
        state=state,
        start=runs[0].start_time,
        end=None if state == OPEN else newest.close_time,
    )


async def _noted(key: str, runs: Iterable[WorkflowExecution]) -> str | None:
    """Return what is in the memo of any run: one that continues as new takes along what it was started with alone."""
    for run in runs:
        if isinstance(value := await run.memo_value(key, None), str):
            return value
    return None
