"""The IT MCP server: JIRA and IP addresses, remembered in a session workflow."""

import argparse

from durable_loop import names
from durable_loop.bootstrap.client import connect
from durable_loop.bootstrap.interceptors import client_interceptors
from durable_loop.bootstrap.process import main
from durable_loop.services.it.server import it_server
from durable_loop.settings import Settings
from mcp_servers._serve import command_line, serve


async def run(settings: Settings, options: argparse.Namespace) -> None:
    """Serve until the client or a signal ends it; Temporal may come and go meanwhile."""
    client = await connect(namespace=names.NAMESPACE_IT, interceptors=client_interceptors(settings), lazy=True)
    server = it_server(client, session=options.session, backing_timeout=settings.backing_timeout)
    await serve(server, options, settings, what="IT MCP server")


if __name__ == "__main__":
    parser = command_line(__doc__, port=8002)
    parser.add_argument("--session", default="local", help="the session of clients that name no chat")
    arguments = parser.parse_args()
    main(lambda settings: run(settings, arguments))
