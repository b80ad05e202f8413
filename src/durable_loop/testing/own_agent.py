"""Our own chat, and the workflows behind its tools, as the harness takes any agent: for replays."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from temporalio.client import Client

from durable_loop import names
from durable_loop.bootstrap.orchestrator import agents_plugin
from durable_loop.chat.workflow import ChatWorkflow
from durable_loop.services.finance import worker as finance
from durable_loop.services.it import worker as it
from durable_loop.settings import Settings
from durable_loop.testing.durable_agent import DurableAgent
from durable_loop.testing.histories import RecordedHistory, fetch_runs, replay_unchanged

__all__ = ["CHAT", "SERVICES", "replay_chats"]

CHAT: Final = DurableAgent(
    workflows=[ChatWorkflow], make_plugin=lambda provider: agents_plugin(Settings(), provider=provider)
)
SERVICES: Final = DurableAgent(workflows=[*finance.WORKFLOWS, *it.WORKFLOWS], calls_models=False)

# The workflows behind the tools of an MCP server: their namespace, and how their ids begin before that of the chat.
_BEHIND: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    names.MCP_FINANCE: (names.NAMESPACE_FINANCE, (names.ID_STOCK_PRICE, names.ID_ROI)),
    names.MCP_IT: (names.NAMESPACE_IT, (names.ID_IT_SESSION, names.ID_JIRA_METRICS)),
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
    runs = await _runs(chats, sorted(ids))
    await replay_unchanged(runs, CHAT.replayer)
    for server, (namespace, beginnings) in _BEHIND.items():
        callers = {run.workflow_id for run in runs if f"temporalio.mcp.{server}.call-tool" in run.activities()}
        if callers:
            client = await connect(namespace)
            named = [f"WorkflowId STARTS_WITH '{id_}{chat}'" for chat in sorted(callers) for id_ in beginnings]
            query = " OR ".join(named)
            behind = {execution.id async for execution in client.list_workflows(query)}
            await replay_unchanged(await _runs(client, sorted(behind)), SERVICES.replayer)


async def _runs(client: Client, workflow_ids: Iterable[str]) -> list[RecordedHistory]:
    return [run for workflow_id in workflow_ids for run in await fetch_runs(client, workflow_id)]
