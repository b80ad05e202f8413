"""Every part of a stack as it is now, from what supervisor, Temporal and MCP servers say. Nothing is started."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from durable_loop import names
from durable_loop.bootstrap.client import chat_namespace, configured_address, connect
from durable_loop.errors import TemporalUnreachableError
from durable_loop.settings import Settings
from durable_loop.stack.lease import running_stack
from durable_loop.stack.messages import PartState, PartStatus, StackStatus
from durable_loop.stack.plan import TEMPORAL

__all__ = ["Overview", "PartNow", "overview"]

State = Literal["up", "starting", "down"]

ANSWER_TIMEOUT: Final = timedelta(seconds=5)
# A worker polls for a minute at a time, and Temporal tells of those that are gone for five.
SEEN_LATELY: Final = timedelta(minutes=2)
_QUEUE_TYPES: Final = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
# What a client of any generation begins with, and servers of both understand.
_HELLO: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "durable-loop", "version": "0"},
    },
}


@dataclass(frozen=True)
class PartNow:
    """One part; None is what a part of its kind has not, or what nobody tells."""

    name: str
    state: State
    address: str | None = None
    version: str | None = None
    queue: str | None = None
    pollers: int | None = None  # processes
    backlog: int | None = None  # tasks of workflows and activities that wait for one
    problem: str | None = None


@dataclass(frozen=True)
class Overview:
    """All parts; `stack` is what a supervisor says, None where the parts were not started by one."""

    parts: Sequence[PartNow]
    stack: StackStatus | None

    @property
    def all_up(self) -> bool:
        """Whether there is nothing that does not work."""
        return all(part.state == "up" for part in self.parts)


async def overview(settings: Settings) -> Overview | None:
    """Look at the stack of the data folder, else at the Temporal that is configured; None where there is neither.

    Raises:
        SettingsError: what is configured cannot be read.
    """
    found = await running_stack(settings)
    if found is None:
        address, namespace, stack = configured_address(), chat_namespace(), None
        urls = (settings.finance_mcp_url, settings.it_mcp_url)
    else:
        state, stack = found
        address, namespace = state.temporal_address, state.namespace
        urls = (state.finance_mcp_url, state.it_mcp_url)
    if address is None:
        return None
    queues = (
        ("orchestrator-worker", namespace, settings.orchestrator_queue),
        ("finance-worker", names.NAMESPACE_FINANCE, names.QUEUE_FINANCE),
        ("it-worker", names.NAMESPACE_IT, names.QUEUE_IT),
    )
    async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT.total_seconds()) as http:
        (temporal, orchestrator, finance, it), finance_mcp, it_mcp = await asyncio.gather(
            _on_temporal(address, queues),
            _mcp_server(http, settings, "finance-mcp", urls[0]),
            _mcp_server(http, settings, "it-mcp", urls[1]),
        )
    parts = (temporal, orchestrator, finance_mcp, finance, it_mcp, it)
    supervised = {part.name: part for part in stack.parts} if stack is not None else {}
    return Overview([_told(part, supervised.get(part.name)) for part in parts], stack)


def _told(part: PartNow, supervised: PartStatus | None) -> PartNow:
    """Put together what a part says itself and what its supervisor does, who knows sooner."""
    match supervised:
        case None:
            return part
        case PartStatus(state=PartState.READY):
            # Where it is a moment old nobody has seen it poll.
            return part if part.queue is None else replace(part, state="up", problem=None)
        case PartStatus(state=PartState.RESTARTING):
            return replace(part, state="down", problem=f"{supervised.last_error} (its log: {supervised.log})")
        case _:
            return replace(part, state="starting", problem=None)


async def _on_temporal(address: str, queues: Iterable[tuple[str, str, str]]) -> Sequence[PartNow]:
    """Return the server, and what it tells of each worker."""
    try:
        client = await connect(address=address)
        version = await _version(client)
    except TemporalUnreachableError as error:
        return _away(address, queues, str(error).partition("\n")[0])
    except RPCError as error:
        return _away(address, queues, error.message)
    workers = await asyncio.gather(*(_worker(client, *queue) for queue in queues))
    return [PartNow(TEMPORAL, "up", address=address, version=version), *workers]


def _away(address: str, queues: Iterable[tuple[str, str, str]], why: str) -> Sequence[PartNow]:
    unknown = [PartNow(name, "down", queue=queue, problem="Temporal does not answer") for name, _, queue in queues]
    return [PartNow(TEMPORAL, "down", address=address, problem=why), *unknown]


async def _version(client: Client) -> str:
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=ANSWER_TIMEOUT)
    return info.server_version


async def _worker(client: Client, name: str, namespace: str, queue: str) -> PartNow:
    try:
        described = [await _describe(client, namespace, queue, type_) for type_ in _QUEUE_TYPES]
    except RPCError as error:
        return PartNow(name, "down", queue=queue, problem=error.message)
    pollers = {poller.identity for one in described for poller in one.pollers if _lately(poller.last_access_time)}
    return PartNow(
        name,
        "up" if pollers else "down",
        queue=queue,
        pollers=len(pollers),
        backlog=sum(one.stats.approximate_backlog_count for one in described),
        problem=None if pollers else f"no worker polls {queue}",
    )


async def _describe(
    client: Client, namespace: str, queue: str, type_: "TaskQueueType.ValueType"
) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=namespace, task_queue=TaskQueue(name=queue), task_queue_type=type_, report_stats=True
    )
    return await client.workflow_service.describe_task_queue(request, timeout=ANSWER_TIMEOUT)


def _lately(moment: Any) -> bool:
    return datetime.now(UTC) - moment.ToDatetime(tzinfo=UTC) < SEEN_LATELY


async def _mcp_server(http: httpx.AsyncClient, settings: Settings, name: str, url: str) -> PartNow:
    """Say hello as a client does. With httpx: the client of the `mcp` package takes seconds to import."""
    headers = {"Accept": "application/json, text/event-stream"}
    if settings.mcp_token is not None:
        headers["Authorization"] = f"Bearer {settings.mcp_token.get_secret_value()}"
    try:
        answer = await http.post(url, json=_HELLO, headers=headers)
        answer.raise_for_status()
        version = answer.json()["result"]["serverInfo"]["version"]
    except httpx.HTTPStatusError as error:
        return PartNow(name, "down", address=url, problem=f"it answers {error.response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL):
        return PartNow(name, "down", address=url, problem="nothing answers there")
    except (ValueError, LookupError, TypeError):
        return PartNow(name, "down", address=url, problem="what answers there is no MCP server")
    return PartNow(name, "up", address=url, version=str(version))
