"""An MCP server over HTTP for a test: served in this process, on a free port of the loopback."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mcp.server.mcpserver import MCPServer

from durable_loop.services.transport import HttpDoor, serve_http

__all__ = ["over_http"]


@asynccontextmanager
async def over_http(server: MCPServer) -> AsyncGenerator[str]:
    """Serve an MCP server while the block runs; the value is its URL."""
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve_http(server, HttpDoor(host="127.0.0.1", port=0), on_ready=url.set_result, until=over.wait)
        )
        try:
            yield await url
        finally:
            over.set()
