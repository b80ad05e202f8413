"""The agent under test, whoever wrote it: what a worker and a replayer have to know of it.

    AGENT = DurableAgent(workflows=[TripWorkflow], activities=[weather, flights])

A worker process of the harness finds it by its path, `package.module:AGENT`.
"""

import importlib
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Self

from agents import ModelProvider, set_trace_processors
from agents.mcp import MCPServer
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin
from temporalio.plugin import SimplePlugin
from temporalio.worker import Interceptor, Replayer, Worker

from durable_loop.errors import SettingsError
from durable_loop.testing.histories.replaying import MakeReplayer
from durable_loop.testing.sandbox import PASS_PYTEST_THROUGH

__all__ = ["DurableAgent", "replayer_of"]

HEARTBEAT_TIMEOUT: Final = timedelta(seconds=2)
# What of a worker's options changes what a workflow does.
_OPTIONS_OF_A_REPLAY: Final = frozenset(
    {"debug_mode", "unsandboxed_workflow_runner", "workflow_failure_exception_types", "workflow_runner"}
)

MakePlugin = Callable[[ModelProvider | None], OpenAIAgentsPlugin]


def _quick() -> ModelActivityParameters:
    return ModelActivityParameters(heartbeat_timeout=HEARTBEAT_TIMEOUT)


@dataclass(frozen=True, kw_only=True)
class DurableAgent:
    """Workflows, their activities, the MCP servers by the names that the workflows use, and how models are called.

    Where `model_params` say nothing a model call has a heartbeat timeout of two seconds, so that a test that kills
    its worker need not wait for a minute. `make_plugin` is for an agent with a plugin of its own: it takes the model
    provider of a test (or None, for a replay, which calls no model), and `mcp_servers` and `model_params` are then
    its business. Workflows that call no models (`calls_models=False`) have no plugin, and pydantic's data converter.
    `worker_options` go to Temporal's `Worker` as they are, and to the replayer where they change what a workflow does.
    """

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]] = ()
    mcp_servers: Mapping[str, Callable[[], MCPServer]] = field(default_factory=dict[str, Callable[[], MCPServer]])
    model_params: ModelActivityParameters = field(default_factory=_quick)
    make_plugin: MakePlugin | None = None
    calls_models: bool = True
    worker_options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def load(cls, path: str) -> Self:
        """Import an agent by its path, `package.module:NAME`.

        Raises:
            SettingsError: there is none.
        """
        module_name, _, name = path.partition(":")
        if not all(word.isidentifier() for word in (*module_name.split("."), name)):
            raise SettingsError(f"No agent at {path!r}: write package.module:NAME.")
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            raise SettingsError(f"No agent at {path!r}: {error}{_place(error)}. Write package.module:NAME.") from error
        except (Exception, SystemExit) as error:  # somebody else's module may raise anything
            words = " ".join(f"{type(error).__name__}: {error}".split())
            raise SettingsError(f"{module_name} cannot be imported: {words}{_place(error)}.") from error
        try:
            found = getattr(module, name)
        except AttributeError as error:
            raise SettingsError(f"No agent at {path!r}: {error}. Write package.module:NAME.") from error
        if not isinstance(found, cls):
            raise SettingsError(f"{path} is {type(found).__name__}, and no DurableAgent.")
        return found

    @property
    def workflow_types(self) -> frozenset[str]:
        """The names under which Temporal knows its workflows."""
        # The SDK has no public way from a class to its name.
        return frozenset(getattr(workflow, "__temporal_workflow_definition").name for workflow in self.workflows)

    def has(self, workflow_type: str) -> bool:
        """Return whether a workflow is one of its own; a dynamic one (without a name) is whatever there is."""
        return not {workflow_type, None}.isdisjoint(self.workflow_types)

    async def connect(
        self, address: str, provider: ModelProvider | None, *, interceptors: Sequence[ClientInterceptor] = ()
    ) -> Client:
        """Connect a client for the agent's workers, whose models are the provider's, and for its workflows."""
        return await Client.connect(
            address,
            plugins=self._plugins(provider),
            data_converter=self._data_converter,
            interceptors=interceptors,
        )

    def worker(
        self, client: Client, *, task_queue: str, interceptors: Sequence[Interceptor] = (), **options: Any
    ) -> Worker:
        """Return a worker; `client` comes from `connect`."""
        return Worker(
            client,
            task_queue=task_queue,
            workflows=self.workflows,
            activities=self.activities,
            interceptors=[*interceptors, *self.worker_options.get("interceptors", ())],
            **{**self._other_options, **options},
        )

    def replayer(self, interceptors: Sequence[Interceptor] = (), *, plugins: Sequence[SimplePlugin] = ()) -> Replayer:
        """Return a replayer of recorded histories. It needs no server and calls nothing."""
        return Replayer(
            workflows=self.workflows,
            plugins=[*self._plugins(None), *plugins],
            data_converter=self._data_converter,
            interceptors=[*interceptors, *self.worker_options.get("interceptors", ())],
            **{name: self._other_options[name] for name in _OPTIONS_OF_A_REPLAY & self._other_options.keys()},
        )

    @property
    def _other_options(self) -> Mapping[str, Any]:
        return {name: option for name, option in self.worker_options.items() if name != "interceptors"}

    @property
    def _data_converter(self) -> DataConverter:
        # The Agents plugin brings one of its own.
        return DataConverter.default if self.calls_models else pydantic_data_converter

    def _plugins(self, provider: ModelProvider | None) -> Sequence[SimplePlugin]:
        if not self.calls_models:
            return [PASS_PYTEST_THROUGH]
        set_trace_processors([])  # the SDK would send traces to OpenAI
        if self.make_plugin is not None:
            return [self.make_plugin(provider), PASS_PYTEST_THROUGH]
        plugin = OpenAIAgentsPlugin(
            model_params=self.model_params, model_provider=provider, mcp_servers=self.mcp_servers
        )
        return [plugin, PASS_PYTEST_THROUGH]


def _place(error: BaseException) -> str:
    """Return the line of somebody's module in which an import ended."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if len(frames) > 1 else ""


def replayer_of(agents: Iterable[DurableAgent], workflow_type: str) -> MakeReplayer:
    """Return the replayer of the agent that has a workflow.

    Raises:
        SettingsError: none has.
    """
    known: set[str] = set()
    for agent in agents:
        if agent.has(workflow_type):
            return agent.replayer
        known |= agent.workflow_types
    raise SettingsError(
        f"No agent here has the workflow {workflow_type}; there are {', '.join(sorted(known)) or 'none'}."
    )
