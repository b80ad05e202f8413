"""The agent under test, whoever wrote it: what a worker and a replayer have to know of it.

    AGENT = DurableAgent(workflows=[TripWorkflow], activities=[weather, flights])

A worker process of the harness finds it by its path, `package.module:AGENT`.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Self

from agents import ModelProvider, set_trace_processors
from agents.mcp import MCPServer
from temporalio.client import Client
from temporalio.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin
from temporalio.worker import Interceptor, Replayer, Worker

from durable_loop.errors import SettingsError

__all__ = ["DurableAgent"]

HEARTBEAT_TIMEOUT: Final = timedelta(seconds=2)

MakePlugin = Callable[[ModelProvider | None], OpenAIAgentsPlugin]


def _quick() -> ModelActivityParameters:
    return ModelActivityParameters(heartbeat_timeout=HEARTBEAT_TIMEOUT)


@dataclass(frozen=True, kw_only=True)
class DurableAgent:
    """Workflows, their activities, the MCP servers by the names that the workflows use, and how models are called.

    Where `model_params` say nothing a model call has a heartbeat timeout of two seconds, so that a test that kills
    its worker need not wait for a minute. `make_plugin` is for an agent with a plugin of its own: it takes the model
    provider of a test (or None, for a replay, which calls no model), and `mcp_servers` and `model_params` are then
    its business. `worker_options` go to Temporal's `Worker` as they are.
    """

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]] = ()
    mcp_servers: Mapping[str, Callable[[], MCPServer]] = field(default_factory=dict[str, Callable[[], MCPServer]])
    model_params: ModelActivityParameters = field(default_factory=_quick)
    make_plugin: MakePlugin | None = None
    worker_options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def load(cls, path: str) -> Self:
        """Import an agent by its path, `package.module:NAME`.

        Raises:
            SettingsError: there is none.
        """
        module_name, _, name = path.partition(":")
        try:
            found = getattr(importlib.import_module(module_name), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise SettingsError(f"No agent at {path!r}: {error}. Write package.module:NAME.") from error
        if not isinstance(found, cls):
            raise SettingsError(f"{path} is {type(found).__name__}, and no DurableAgent.")
        return found

    def plugin(self, provider: ModelProvider | None = None) -> OpenAIAgentsPlugin:
        """Return the plugin for a client whose workers call this provider's models, or for a replay."""
        set_trace_processors([])  # the SDK would send traces to OpenAI
        if self.make_plugin is not None:
            return self.make_plugin(provider)
        return OpenAIAgentsPlugin(
            model_params=self.model_params,
            model_provider=provider,
            mcp_servers=self.mcp_servers,
        )

    def worker(
        self, client: Client, *, task_queue: str, interceptors: Sequence[Interceptor] = (), **options: Any
    ) -> Worker:
        """Return a worker; `client` must have been connected with `plugin`."""
        return Worker(
            client,
            task_queue=task_queue,
            workflows=self.workflows,
            activities=self.activities,
            interceptors=interceptors,
            **{**self.worker_options, **options},
        )

    def replayer(self, interceptors: Sequence[Interceptor] = ()) -> Replayer:
        """Return a replayer of recorded histories. It needs no server and calls nothing."""
        return Replayer(workflows=self.workflows, plugins=[self.plugin()], interceptors=interceptors)
