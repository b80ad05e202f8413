"""One `async with` for all that a durable agent needs: dev server, workers, MCP servers, chats.

    script = Script(calls("stock_price", ticker="AAPL"), says("It is at 185.50."))
    async with Environment.start() as env, env.agent(script) as agent:
        reply = await agent.chat().send("What is AAPL at?")

    async with Environment.start() as env, env.running(AGENT, script) as agent:  # an agent of yours
        result = await agent.execute(TripWorkflow.run, "Oslo")

The dev server, the finance and IT workers and the MCP servers over HTTP are shared by all agents of
an environment; each agent has a task queue, a script and a worker of its own. Leaving an agent checks
that its script was used up and that every history of its workflows replays.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from agents import ModelProvider
from agents.mcp import MCPServer, MCPServerStdio
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkipper, WorkflowEnvironment
from temporalio.worker import Worker

from durable_loop import names
from durable_loop.bootstrap.orchestrator import agents_plugin, orchestrator_worker
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.bootstrap.services import finance_worker, it_worker
from durable_loop.chat.client import Chat, new_chat_id
from durable_loop.chat.messages import ChatInput
from durable_loop.services.finance.server import finance_server
from durable_loop.services.it.server import it_server
from durable_loop.settings import Settings
from durable_loop.stack.binaries import find_temporal
from durable_loop.stack.part import python_module
from durable_loop.stack.plan import DYNAMIC_CONFIG
from durable_loop.testing.crash import CrashPoints
from durable_loop.testing.durable_agent import DurableAgent
from durable_loop.testing.fake_model import SCRIPT_VARIABLE, FakeModel, FakeModelProvider, used_file
from durable_loop.testing.histories import RecordedHistory, fetch_history, replay_unchanged
from durable_loop.testing.leaks import OWNER_VARIABLE, no_process_left
from durable_loop.testing.memory import InMemoryMCPServer
from durable_loop.testing.overriding import with_fields
from durable_loop.testing.own_agent import replay_chats
from durable_loop.testing.processes import MortalProcess, ReadyProcess, running_module, variables
from durable_loop.testing.running_agent import RunningAgent, StartedWorkflows, worker_processes
from durable_loop.testing.sandbox import PASS_PYTEST_THROUGH
from durable_loop.testing.script import Script

__all__ = ["Agent", "Environment", "McpTransport", "TestedChat", "WorkerPlace"]

_PROVIDER = "durable_loop.testing.fake_model:provider_from_environment"
_SERVERS: Mapping[str, str] = {
    names.MCP_FINANCE: "mcp_servers.finance_mcp_server",
    names.MCP_IT: "mcp_servers.it_mcp_server",
}


SERVER_STARTUP_TIMEOUT = timedelta(seconds=30)  # a busy machine; usually a third of a second
# So that `fast_forward` works, and to the hundredth of a second.
_TIME_SKIPPING = (
    "--dynamic-config-value=frontend.WorkflowTimeSkippingEnabled=true",
    '--dynamic-config-value=history.timerProcessorMaxTimeShift="10ms"',
)


class WorkerPlace(StrEnum):
    """Where the worker of an agent runs."""

    IN_PROCESS = "in-process"
    SUBPROCESS = "subprocess"  # of a chat: the real `workers.orchestrator_worker`


class McpTransport(StrEnum):
    """How an agent reaches its MCP servers."""

    MEMORY = "memory"
    HTTP = "http"  # the real `mcp_servers`, each in a process of its own on a free port
    STDIO = "stdio"  # the same, started by the worker that calls them
    SETTINGS = "settings"  # none is started: the settings say where they are


class TestedChat(Chat):
    """A chat whose history can be looked at."""

    __test__ = False  # pytest: not a test class

    async def history(self) -> RecordedHistory:
        """Return the events of the chat's current run so far."""
        return await fetch_history(self.handle)


class Agent:
    """A worker of durable-loop's own chats, and the chats that talk to it; `Environment.agent` runs it."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.settings = settings
        self.chats: list[TestedChat] = []
        self.worker: ReadyProcess | None = None
        self._client = client

    def chat(self, chat_id: str | None = None, **policy: Any) -> TestedChat:
        """Return a chat, by default a fresh one; it starts with its first message.

        `policy` are fields of `ChatPolicy` that differ for this chat; TypeError tells one that is none.
        """
        start = ChatInput(
            model=self.settings.llm_model or names.MODEL_OFFLINE,
            policy=with_fields(chat_policy(self.settings), **policy),
        )
        chat = TestedChat(self._client, chat_id or new_chat_id(), start, task_queue=self.settings.orchestrator_queue)
        self.chats.append(chat)
        return chat


class Environment:
    """A dev server with the project's namespaces, and what all agents of a test share."""

    def __init__(
        self, server: WorkflowEnvironment, folder: Path, running: AsyncExitStack, *, service_workers: bool
    ) -> None:
        self._folder = folder
        self._running = running
        self._service_workers_wanted = service_workers
        self._starting = asyncio.Lock()
        self._owner = str(folder)
        self._mcp_urls: dict[str, str] = {}
        self.address = server.client.service_client.config.target_host
        # Seconds instead of minutes, so that a test that breaks something sees it soon.
        self.settings = Settings(
            heartbeat_timeout=timedelta(seconds=2),
            first_retry_after=timedelta(seconds=0.1),
            sticky_queue_timeout=timedelta(seconds=1),
            backing_timeout=timedelta(seconds=10),
            graceful_shutdown=timedelta(seconds=1),
        )

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        *,
        temporal_cli: Path | None = None,
        dynamic_config: Mapping[str, str] | None = None,
        service_workers: bool = True,
    ) -> AsyncGenerator[Self]:
        """Start the dev server (in memory); end it and all that was started since after the block.

        `dynamic_config` are settings of the server, as JSON. The finance and IT workers start with the first chat
        agent; without `service_workers` a test runs its own.

        Raises:
            LeakedProcessError: a process that the environment's processes started is left; it is ended.
        """
        program = find_temporal(temporal_cli)
        namespaces = [word for name in (names.NAMESPACE_FINANCE, names.NAMESPACE_IT) for word in ("--namespace", name)]
        with tempfile.TemporaryDirectory(prefix="durable-loop-") as name, no_process_left(name):
            server = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType] - untyped kwargs of the SDK
                data_converter=pydantic_data_converter,
                dev_server_existing_path=str(program) if program else None,
                dev_server_log_level="error",
                dev_server_startup_timeout=SERVER_STARTUP_TIMEOUT,
                dev_server_extra_args=[
                    *namespaces,
                    *DYNAMIC_CONFIG,
                    *_TIME_SKIPPING,
                    *(f"--dynamic-config-value={key}={value}" for key, value in (dynamic_config or {}).items()),
                ],
            )
            async with server, AsyncExitStack() as running:
                yield cls(server, Path(name), running, service_workers=service_workers)

    async def client(self, namespace: str = names.NAMESPACE_CHAT) -> Client:
        """Connect a plain client, as any program would, to one of the namespaces."""
        return await Client.connect(
            self.address,
            namespace=namespace,
            data_converter=pydantic_data_converter,
            plugins=[PASS_PYTEST_THROUGH],  # for a worker that a test gives it to
        )

    async def fast_forward(
        self, handle: WorkflowHandle[Any, Any], duration: timedelta, *, namespace: str = names.NAMESPACE_CHAT
    ) -> None:
        """Move a workflow's clock on: timers fire and retries are due as if the time had passed.

        While one of its activities runs its time stands still: this waits for it.
        """
        await TimeSkipper(await self.client(namespace)).fast_forward(handle, duration)

    @asynccontextmanager
    async def running(
        self,
        agent: DurableAgent | str,
        script: Script,
        *,
        workers: WorkerPlace = WorkerPlace.IN_PROCESS,
        processes: int = 1,
        **settings: Any,
    ) -> AsyncGenerator[RunningAgent]:
        """Run workers of any agent while the block runs; their model speaks `script`.

        `agent` is its path (`package.module:NAME`) where the workers are processes, as many as `processes` says: they
        import it. `settings` are fields of `Settings` about workers that differ, `max_cached_workflows` for one.

        Raises:
            TypeError: there is no such setting; names the nearest one.
            UnusedStepsError: the block ended and the script was not used up.
            NonDeterminismFoundError: a history does not replay.
            DriftFoundError: one replays, and what it sends depends on more than what is in it.
            ProcessNotReadyError: a subprocess did not start.
            SettingsError: nothing is at that path.
        """
        chosen = with_fields(self.settings, **settings)
        task_queue = f"queue-{uuid4().hex[:12]}"
        described = DurableAgent.load(agent) if isinstance(agent, str) else agent
        script_file = self._script_file(task_queue)
        model = FakeModel(script, used_file=used_file(script_file))
        started = StartedWorkflows()
        client = await described.connect(self.address, FakeModelProvider(model), interceptors=[started])
        async with AsyncExitStack() as ending:
            if workers is WorkerPlace.IN_PROCESS:
                worker = described.worker(
                    client,
                    task_queue=task_queue,
                    max_cached_workflows=chosen.max_cached_workflows,
                    sticky_queue_schedule_to_start_timeout=chosen.sticky_queue_timeout,
                )
                await ending.enter_async_context(worker)
                running = RunningAgent(client, task_queue, started)
            elif isinstance(agent, str):
                script.write(script_file)
                crash_points = CrashPoints(self._folder / f"{task_queue}-crash-points")
                mortal = [
                    MortalProcess(
                        f"worker {number} of {agent}",
                        python_module("durable_loop.testing.agent_worker", agent, task_queue),
                        environment={
                            **self._environment(chosen),
                            **crash_points.environment,
                            SCRIPT_VARIABLE: str(script_file),
                            # Also what only this process finds: a test's own folder.
                            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                        },
                        log=self._folder / f"{task_queue}-{number}.log",
                    )
                    for number in range(1, processes + 1)
                ]
                await ending.enter_async_context(worker_processes(mortal))
                running = RunningAgent(client, task_queue, started, processes=mortal, crash_points=crash_points)
            else:
                raise TypeError("A worker process imports its agent: name it by its path, package.module:NAME.")
            yield running
            own = [history for history in await running.histories() if described.has(history.workflow_type)]
            await replay_unchanged(own, described.replayer)
            model.assert_complete()

    async def finance_worker(self) -> Worker:
        """Return a worker behind the finance MCP server, to be run with `async with`."""
        return finance_worker(await self.client(names.NAMESPACE_FINANCE), self.settings)

    async def it_worker(self) -> Worker:
        """Return a worker behind the IT MCP server, to be run with `async with`."""
        return it_worker(await self.client(names.NAMESPACE_IT), self.settings)

    @asynccontextmanager
    async def agent(
        self,
        script: Script | ModelProvider | None,
        *,
        workers: WorkerPlace = WorkerPlace.IN_PROCESS,
        mcp: McpTransport = McpTransport.MEMORY,
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> AsyncGenerator[Agent]:
        """Run a worker of durable-loop's own chats while the block runs.

        Its model speaks `script`, or is the provider's, or (None) the one that the settings name.
        `environment` is for a subprocess; `settings` are fields of `Settings` that differ for this agent.

        Raises:
            TypeError: there is no such setting; names the nearest one.
            UnusedStepsError: the block ended and the script was not used up.
            NonDeterminismFoundError: the history of a chat, or of what is behind its tools, does not replay.
            DriftFoundError: one replays, and what it sends depends on more than what is in it.
            ProcessNotReadyError: a subprocess did not start.
        """
        chosen = with_fields(self.settings, **{"orchestrator_queue": f"queue-{uuid4().hex[:12]}", **settings})
        await self._start_service_workers()
        async with AsyncExitStack() as running:
            if mcp is McpTransport.HTTP:
                chosen = chosen.model_copy(update=await self._http_servers())
            agent = Agent(await self.client(), chosen)
            model, provider = None, None
            if script is None or isinstance(script, ModelProvider):
                provider = script
            else:
                model = FakeModel(script, used_file=used_file(self._script_file(chosen.orchestrator_queue)))
                provider = FakeModelProvider(model)
            if workers is WorkerPlace.IN_PROCESS:
                await self._start_worker(running, chosen, provider, await self._mcp_factories(mcp, chosen))
            elif isinstance(script, ModelProvider) or mcp in (McpTransport.MEMORY, McpTransport.STDIO):
                raise TypeError("A worker process takes a Script or settings, and reaches its MCP servers over HTTP.")
            else:
                agent.worker = await running.enter_async_context(
                    self.worker_process(chosen, script=script, environment=environment)
                )
            yield agent
            begun = [chat.chat_id for chat in agent.chats]
            await replay_chats(self.client, begun, task_queue=chosen.orchestrator_queue)
            if model is not None:
                model.assert_complete()

    @asynccontextmanager
    async def worker_process(
        self, settings: Settings, *, script: Script | None = None, environment: Mapping[str, str] | None = None
    ) -> AsyncGenerator[ReadyProcess]:
        """Run the real `workers.orchestrator_worker` in a process of its own; a second one shares the task queue."""
        scripted: dict[str, str] = {}
        file = self._script_file(settings.orchestrator_queue)
        if script is not None:
            script.write(file)
            scripted = {"DURABLE_LOOP_MODEL_PROVIDER": _PROVIDER, SCRIPT_VARIABLE: str(file)}
        async with running_module(
            "workers.orchestrator_worker",
            environment={**self._environment(settings), **scripted, **(environment or {})},
            log=file.with_suffix(".log"),
        ) as process:
            yield process

    async def _start_service_workers(self) -> None:
        async with self._starting:
            wanted, self._service_workers_wanted = self._service_workers_wanted, False
            if wanted:
                await self._running.enter_async_context(await self.finance_worker())
                await self._running.enter_async_context(await self.it_worker())

    def _script_file(self, task_queue: str) -> Path:
        return self._folder / f"{task_queue}.json"

    async def _start_worker(
        self,
        running: AsyncExitStack,
        settings: Settings,
        provider: ModelProvider | None,
        factories: Mapping[str, Callable[[], MCPServer]] | None,
    ) -> None:
        plugin = agents_plugin(settings, provider=provider, mcp_servers=factories)
        client = await Client.connect(self.address, plugins=[plugin, PASS_PYTEST_THROUGH])
        await running.enter_async_context(orchestrator_worker(client, settings))

    async def _http_servers(self) -> dict[str, str]:
        """Return the settings that name the MCP servers over HTTP; they start with the first agent that asks."""
        for name, module in _SERVERS.items():
            if f"{name}_mcp_url" not in self._mcp_urls:
                process = await self._running.enter_async_context(
                    running_module(
                        module,
                        *("--port", "0"),
                        environment=self._environment(self.settings),
                        log=self._folder / f"{name}-mcp.log",
                    )
                )
                self._mcp_urls[f"{name}_mcp_url"] = process.announcement.rpartition(" ")[2]
        return self._mcp_urls

    async def _mcp_factories(
        self, mcp: McpTransport, settings: Settings
    ) -> Mapping[str, Callable[[], MCPServer]] | None:
        match mcp:
            case McpTransport.HTTP | McpTransport.SETTINGS:
                return None
            case McpTransport.STDIO:
                return {name: self._stdio_factory(name, module, settings) for name, module in _SERVERS.items()}
            case McpTransport.MEMORY:
                bound = settings.backing_timeout
                finance = finance_server(await self.client(names.NAMESPACE_FINANCE), backing_timeout=bound)
                it = it_server(await self.client(names.NAMESPACE_IT), session="local", backing_timeout=bound)
                return {
                    names.MCP_FINANCE: lambda: InMemoryMCPServer(names.MCP_FINANCE, finance),
                    names.MCP_IT: lambda: InMemoryMCPServer(names.MCP_IT, it),
                }

    def _stdio_factory(self, name: str, module: str, settings: Settings) -> Callable[[], MCPServer]:
        command, *arguments = python_module(module, "--transport", "stdio")
        environment = {**os.environ, **self._environment(settings)}
        return lambda: MCPServerStdio(
            {"command": command, "args": arguments, "env": environment},
            name=name,
            client_session_timeout_seconds=settings.tool_timeout.total_seconds(),
        )

    def _environment(self, settings: Settings) -> dict[str, str]:
        return {"TEMPORAL_ADDRESS": self.address, OWNER_VARIABLE: self._owner, **variables(settings)}
