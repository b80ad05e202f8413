"""An MCP server whose failures are sentences: what is wrong, with which argument, and what is expected."""

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError as McpToolError
from mcp.server.mcpserver.exceptions import UnexpectedToolError
from mcp_types import CallToolResult, InputRequiredResult, TextContent
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from durable_loop.errors import ToolError

__all__ = ["VERSION", "ToolServer", "explain_arguments", "reply"]

# What our servers say of themselves.
VERSION: Final = version("durable-loop")

_LONGEST_ECHO: Final = 40
_PYDANTIC_SUBJECT: Final = re.compile(r"^(Input|String) should ")


def reply(text: str, output: BaseModel) -> CallToolResult:
    """Return a tool's answer twice: as a sentence to read, and as data."""
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=output.model_dump(mode="json")
    )


class ToolServer(MCPServer):
    """An `MCPServer` whose error results hold one sentence that a model can act on, and nothing else.

    A tool raises `durable_loop.errors.ToolError` for what it saw coming; its text arrives as it is.
    """

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool by name.

        Raises:
            mcp.server.mcpserver.exceptions.ToolError: the call failed; the text is the sentence.
            UnexpectedToolError: the tool crashed; the text says only that.
        """
        schemas = {tool.name: tool.input_schema for tool in await self.list_tools()}
        if name not in schemas:
            raise McpToolError(f"There is no tool {_echo(name)} here, only {', '.join(schemas)}.")
        try:
            return await super().call_tool(name, arguments, context)
        except McpToolError as error:
            # The cause stays the cause: the server's own log line is made from it.
            match error.__cause__:
                case ToolError() as cause:
                    raise McpToolError(str(cause)) from cause
                case ValidationError() as cause if not isinstance(error, UnexpectedToolError):
                    raise McpToolError(explain_arguments(name, schemas[name], cause)) from cause
                case cause:
                    raise UnexpectedToolError(f"The tool {name} failed unexpectedly; its log says why.") from cause


def explain_arguments(tool: str, schema: Mapping[str, Any], error: ValidationError) -> str:
    """Put what pydantic found wrong with a tool's arguments into one sentence."""
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    problems = [_explain(properties, problem) for problem in error.errors(include_url=False)]
    return f"{tool} was called with wrong arguments: {'; '.join(problems)}."


def _explain(properties: Mapping[str, Mapping[str, Any]], problem: ErrorDetails) -> str:
    argument = str(problem["loc"][0])
    expected = str(properties[argument]["description"]).rstrip(".")
    if problem["type"] == "missing":
        return f"{argument} is missing (expected: {expected})"
    what = _PYDANTIC_SUBJECT.sub("must ", problem["msg"]).partition(", unable to parse")[0]
    if problem["type"] == "string_pattern_mismatch":
        what = "does not have the right form"
    return f"{argument} {what}, not {_echo(problem['input'])} (expected: {expected})"


def _echo(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "…"
