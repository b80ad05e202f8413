"""The tools that a chat offers to its model, as workflow code: local ones are activities, the others MCP calls.

Whatever goes wrong in a tool is told to the model in a sentence. Nothing that a model sends can
fail the turn, let alone the workflow task.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from agents import FunctionTool, RunContextWrapper
from agents.mcp import MCPServer, MCPToolMetaContext
from mcp.types import Tool
from pydantic import BaseModel, ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.openai_agents.workflow import temporal_mcp_server
from temporalio.workflow import ActivityConfig

from durable_loop import names
from durable_loop.chat.messages import ChatPolicy
from durable_loop.chat.sentences import sentence, trimmed
from durable_loop.chat.tool_messages import CalculatorInput, ToolResult, WeatherInput

__all__ = ["ListingFailed", "list_tools", "local_tools", "mcp_servers"]

# An MCP server that is down must not hold up the turn for long: its tools are listed before the model is called.
LIST_TOOLS_TIMEOUT = timedelta(seconds=10)
# The retries of one tool call, together, take no longer than this many calls.
TOTAL_CALLS = 2


def local_tools(policy: ChatPolicy) -> list[FunctionTool]:
    """Return the tools that run as activities of the orchestrator worker."""
    return [
        _activity_tool(
            names.ACTIVITY_CALCULATOR,
            CalculatorInput,
            description="Evaluate an arithmetic expression exactly. Use it for every calculation, however small.",
            policy=policy,
        ),
        _activity_tool(
            names.ACTIVITY_WEATHER,
            WeatherInput,
            description="Get the current weather (temperature, conditions) in a city.",
            policy=policy,
        ),
    ]


def mcp_servers(policy: ChatPolicy, *, call_meta: Callable[[], dict[str, Any]]) -> list[MCPServer]:
    """Return the MCP servers of a chat; `call_meta` makes the `_meta` of each call, in the order of the calls."""

    def resolve(_context: MCPToolMetaContext) -> dict[str, Any]:
        return call_meta()

    return [
        temporal_mcp_server(
            name,
            activity_config=_activity_config(policy),
            tool_meta_resolver=resolve,
            failure_error_function=_tell_model,
        )
        for name in (names.MCP_FINANCE, names.MCP_IT)
    ]


class ListingFailed(BaseModel):
    """An MCP server whose tools this turn goes without."""

    server: str
    reason: str


async def list_tools(server: MCPServer) -> list[Tool] | ListingFailed:
    """Return the server's tools (asked for once in a run of the chat), or why there are none."""
    try:
        return await asyncio.wait_for(server.list_tools(), LIST_TOOLS_TIMEOUT.total_seconds())
    except ActivityError as error:
        return ListingFailed(server=server.name, reason=sentence(error))
    except TimeoutError:
        return ListingFailed(server=server.name, reason=f"no answer in {LIST_TOOLS_TIMEOUT.total_seconds():g} s.")


def _activity_tool(name: str, arguments: type[BaseModel], *, description: str, policy: ChatPolicy) -> FunctionTool:
    async def invoke(_context: RunContextWrapper[Any], raw_arguments: str) -> str:
        try:
            parsed = arguments.model_validate_json(raw_arguments or "{}")
        except ValidationError as error:
            return f"The arguments of {name} are wrong: {_problems(error)}"
        try:
            result = await workflow.execute_activity(name, parsed, result_type=ToolResult, **_activity_config(policy))
        except ActivityError as error:
            return f"{name} failed: {sentence(error)}"
        return result.text

    return FunctionTool(
        name=name,
        description=description,
        params_json_schema=arguments.model_json_schema(),
        on_invoke_tool=invoke,
        strict_json_schema=False,
    )


def _activity_config(policy: ChatPolicy) -> ActivityConfig:
    return ActivityConfig(
        start_to_close_timeout=policy.tool_timeout,
        schedule_to_close_timeout=policy.tool_timeout * TOTAL_CALLS,
        heartbeat_timeout=policy.heartbeat_timeout,
        retry_policy=RetryPolicy(
            initial_interval=policy.first_retry_after,
            maximum_attempts=policy.tool_attempts,
        ),
    )


def _tell_model(_context: RunContextWrapper[Any], error: Exception) -> str:
    return f"The tool call failed: {sentence(error)}"


def _problems(error: ValidationError) -> str:
    return trimmed(
        "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'the arguments'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
    )
