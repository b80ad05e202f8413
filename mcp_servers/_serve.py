"""What the MCP server processes do alike: read their options, serve, and say when they can be used."""

import argparse
import asyncio
import signal
from typing import Final

from mcp.server.mcpserver import MCPServer

from durable_loop.bootstrap.process import announce, leave, until_signalled
from durable_loop.services.transport import HttpDoor, serve_http, serve_stdio
from durable_loop.settings import Settings

__all__ = ["command_line", "serve"]

_LAST_PORT: Final = 65535


def command_line(description: str | None, *, port: int) -> argparse.ArgumentParser:
    """Return the options that every MCP server has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--transport", choices=["http", "stdio"], default="http", help="how clients talk to it")
    parser.add_argument("--host", default="127.0.0.1", help="where it listens over HTTP")
    parser.add_argument("--port", type=_port, default=port, help="the port over HTTP; 0 takes a free one")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 0 and {_LAST_PORT}")
    return int(text)


async def serve(server: MCPServer, options: argparse.Namespace, settings: Settings, *, what: str) -> None:
    """Serve as the options say, until the client or a signal ends it."""
    if options.transport == "stdio":
        # A read from stdin cannot be cancelled, and a call that is cut off may be sent again with its key.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, leave, 0)
        await serve_stdio(server)
    else:
        door = HttpDoor(
            host=options.host,
            port=options.port,
            token=settings.mcp_token,
            allowed_hosts=settings.mcp_allowed_hosts,
        )
        await serve_http(server, door, on_ready=lambda url: announce(f"{what} on {url}"), until=until_signalled)
