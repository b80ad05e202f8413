"""The orchestrator worker from its settings, and the plugin that a replay of its chats needs as well."""

from collections.abc import Callable, Mapping

import httpx
from agents import ModelProvider, set_trace_processors
from agents.mcp import MCPServer, MCPServerStreamableHttp, MCPServerStreamableHttpParams
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin
from temporalio.worker import Worker

from durable_loop import names
from durable_loop.bootstrap import extensions
from durable_loop.bootstrap.deployment import deployment_config
from durable_loop.bootstrap.interceptors import interceptors
from durable_loop.chat.activities import local_activities
from durable_loop.chat.bounds import BoundsInterceptor
from durable_loop.chat.weather import DemoWeather, OpenMeteoWeather, WeatherSource
from durable_loop.chat.workflow import ChatWorkflow
from durable_loop.models.by_reference import ByReferenceProvider
from durable_loop.models.provider import DurableModelProvider
from durable_loop.models.told import TELL_INTERVAL, TellingProvider
from durable_loop.settings import Settings

__all__ = ["agents_plugin", "orchestrator_worker", "own_provider"]


def agents_plugin(
    settings: Settings,
    *,
    provider: ModelProvider | None = None,
    mcp_servers: Mapping[str, Callable[[], MCPServer]] | None = None,
) -> OpenAIAgentsPlugin:
    """Return the plugin that runs model and MCP calls as activities.

    `provider` and `mcp_servers` take the place of what the settings name.
    """
    set_trace_processors([])  # the SDK would send traces to OpenAI; nothing leaves but calls to the configured model
    return OpenAIAgentsPlugin(
        model_params=ModelActivityParameters(
            start_to_close_timeout=settings.model_timeout,
            schedule_to_close_timeout=settings.model_total_timeout,
            heartbeat_timeout=settings.heartbeat_timeout,
            retry_policy=RetryPolicy(
                initial_interval=settings.first_retry_after,
                maximum_attempts=settings.model_attempts,
            ),
        ),
        model_provider=ByReferenceProvider(TellingProvider(provider or _provider(settings))),
        mcp_servers=mcp_servers if mcp_servers is not None else _mcp_servers(settings),
    )


def own_provider(settings: Settings) -> DurableModelProvider:
    """Return the models that a worker has where no setting names a provider."""
    # A little less than Temporal's own timeout, so that the user reads our sentence and not Temporal's.
    return DurableModelProvider(timeout=settings.model_timeout * 0.95)


def orchestrator_worker(client: Client, settings: Settings) -> Worker:
    """Return the worker that runs chats; `client` must have been connected with `agents_plugin`."""
    return Worker(
        client,
        task_queue=settings.orchestrator_queue,
        workflows=[ChatWorkflow],
        activities=local_activities(_weather(settings)),
        interceptors=[BoundsInterceptor(max_tool_output=settings.max_tool_output_bytes), *interceptors(settings)],
        max_cached_workflows=settings.max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=settings.sticky_queue_timeout,
        graceful_shutdown_timeout=settings.graceful_shutdown,
        deployment_config=deployment_config(settings),
        # The SDK holds heartbeats back for a while. The text that rides on one is wanted at once; a cancelled activity
        # hears of it with the next.
        max_heartbeat_throttle_interval=TELL_INTERVAL,
    )


def _mcp_servers(settings: Settings) -> Mapping[str, Callable[[], MCPServer]]:
    return {
        names.MCP_FINANCE: lambda: _mcp_server(names.MCP_FINANCE, settings.finance_mcp_url, settings),
        names.MCP_IT: lambda: _mcp_server(names.MCP_IT, settings.it_mcp_url, settings),
    }


def _provider(settings: Settings) -> ModelProvider:
    if settings.model_provider is not None:
        return extensions.load(settings.model_provider, setting="DURABLE_LOOP_MODEL_PROVIDER")
    return own_provider(settings)


def _weather(settings: Settings) -> WeatherSource:
    return OpenMeteoWeather(httpx.AsyncClient(timeout=10)) if settings.weather == "live" else DemoWeather()


def _mcp_server(name: str, url: str, settings: Settings) -> MCPServer:
    params = MCPServerStreamableHttpParams(url=url, timeout=settings.tool_timeout)
    if settings.mcp_token is not None:
        params["headers"] = {"Authorization": f"Bearer {settings.mcp_token.get_secret_value()}"}
    return MCPServerStreamableHttp(
        params,
        name=name,
        # Longer than the server's own bound: with the SDK's default of 5 s a slow call is made twice.
        client_session_timeout_seconds=settings.tool_timeout.total_seconds(),
    )
