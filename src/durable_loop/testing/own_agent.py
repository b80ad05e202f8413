"""Our own chat, and the workflows behind its tools, as the harness takes any agent: for replays."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names
from durable_loop.bootstrap.orchestrator import agents_plugin
from durable_loop.chat.workflow import ChatWorkflow
from durable_loop.services.calls import safe_id
from durable_loop.services.finance import worker as finance
from durable_loop.services.it import worker as it
from durable_loop.settings import Settings
from durable_loop.testing.durable_agent import DurableAgent
from durable_loop.testing.histories import RecordedHistory, fetch_runs, replay_unchanged
from durable_loop.testing.histories.payloads import recorded_values

__all__ = ["CHAT", "SERVICES", "replay_chats"]

CHAT: Final = DurableAgent(
    workflows=[ChatWorkflow], make_plugin=lambda provider: agents_plugin(Settings(), provider=provider)
)
SERVICES: Final = DurableAgent(workflows=[*finance.WORKFLOWS, *it.WORKFLOWS], calls_models=False)

# The ids that a workflow behind a tool may have, by its namespace: of the chat and the key of the call, made safe.
_BEHIND: Final[Mapping[str, Callable[[str, str], tuple[str, ...]]]] = {
    names.NAMESPACE_FINANCE: lambda _chat, key: (names.ID_STOCK_PRICE + key, names.ID_ROI + key),
    names.NAMESPACE_IT: lambda chat, key: (names.ID_IT_SESSION + chat, f"{names.ID_JIRA_METRICS}{chat}#{key}"),
}


async def replay_chats(
    connect: Callable[[str], Awaitable[Client]], chat_ids: Iterable[str], *, task_queue: str
) -> None:
    """Replay chats, those that anybody began on a task queue, and what is behind their tools: all just written.

    Raises:
        NonDeterminismFoundError: one does not replay.
        DriftFoundError: one sends something else.
    """
    chats = await connect(names.NAMESPACE_CHAT)
    ids = {*chat_ids, *[chat.id async for chat in chats.list_workflows(f"TaskQueue = '{task_queue}'")]}
    runs = [run for chat_id in sorted(ids) for run in await fetch_runs(chats, chat_id)]
    await replay_unchanged(runs, CHAT.replayer)
    calls = {call for run in runs for call in _tool_calls(run)}
    if not calls:
        return  # most agents: nobody connects for nothing
    for namespace, ids_behind in _BEHIND.items():
        behind = {workflow_id for chat, key in calls for workflow_id in ids_behind(safe_id(chat), safe_id(key))}
        client = await connect(namespace)
        written = [run for workflow_id in sorted(behind) for run in await _runs_if_there(client, workflow_id)]
        await replay_unchanged(written, SERVICES.replayer)


def _tool_calls(run: RecordedHistory) -> Iterator[tuple[str, str]]:
    """Yield the chat and the key of each call of an MCP tool."""
    for scheduled in run.attributes("activityTaskScheduled"):
        if scheduled["activityType"]["name"].endswith(names.ACTIVITY_ENDS_CALL_TOOL):
            meta: Mapping[str, str] = recorded_values(scheduled["input"])[0].get("meta") or {}
            if names.META_IDEMPOTENCY_KEY in meta:
                yield meta[names.META_CHAT], meta[names.META_IDEMPOTENCY_KEY]


async def _runs_if_there(client: Client, workflow_id: str) -> list[RecordedHistory]:
    """Return the runs of a workflow; none where the tool is another one, or the call never came to it."""
    try:
        return await fetch_runs(client, workflow_id)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return []
