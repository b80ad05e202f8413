"""An MCP server in this very process, for the Agents SDK: no socket, no subprocess."""

from contextlib import AsyncExitStack
from typing import Any

from agents import AgentBase, RunContextWrapper
from agents.mcp import MCPServer
from mcp import Client
from mcp.server.mcpserver import MCPServer as McpProtocolServer
from mcp.types import CallToolResult, GetPromptResult, ListPromptsResult, RequestParamsMeta, Tool

__all__ = ["InMemoryMCPServer"]


class InMemoryMCPServer(MCPServer):
    """A server object of the MCP SDK, as an agent of the Agents SDK reaches it."""

    def __init__(self, name: str, server: McpProtocolServer) -> None:
        super().__init__()
        self._name = name
        self._server = server
        self._connected: Client | None = None
        self._open = AsyncExitStack()

    @property
    def name(self) -> str:
        """The server's name."""
        return self._name

    async def connect(self) -> None:
        """Open the in-memory connection."""
        self._connected = await self._open.enter_async_context(Client(self._server))

    async def cleanup(self) -> None:
        """Close it."""
        self._connected = None
        await self._open.aclose()

    async def list_tools(
        self,
        run_context: RunContextWrapper[Any] | None = None,  # noqa: ARG002 - the SDK's signature
        agent: AgentBase[Any] | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> list[Tool]:
        """List the tools."""
        return (await self._client().list_tools()).tools

    async def call_tool(
        self, tool_name: str, arguments: dict[str, Any] | None, meta: dict[str, Any] | None = None
    ) -> CallToolResult:
        """Call a tool."""
        return await self._client().call_tool(tool_name, arguments, meta=_meta(meta))

    async def list_prompts(self) -> ListPromptsResult:
        """List the prompts."""
        return await self._client().list_prompts()

    async def get_prompt(self, name: str, arguments: dict[str, Any] | None = None) -> GetPromptResult:
        """Get a prompt."""
        return await self._client().get_prompt(name, arguments)

    def _client(self) -> Client:
        if self._connected is None:
            raise RuntimeError(f"{self._name} is not connected")
        return self._connected


def _meta(meta: dict[str, Any] | None) -> RequestParamsMeta | None:
    return None if meta is None else RequestParamsMeta(**meta)
