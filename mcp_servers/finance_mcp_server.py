"""The finance MCP server: stock prices and returns on investment, each call a workflow of its own."""

import argparse

from durable_loop import names
from durable_loop.bootstrap.client import connect
from durable_loop.bootstrap.interceptors import client_interceptors
from durable_loop.bootstrap.process import main
from durable_loop.services.finance.server import finance_server
from durable_loop.settings import Settings
from mcp_servers._serve import command_line, serve


async def run(settings: Settings, options: argparse.Namespace) -> None:
    """Serve until the client or a signal ends it; Temporal may come and go meanwhile."""
    client = await connect(namespace=names.NAMESPACE_FINANCE, interceptors=client_interceptors(settings), lazy=True)
    server = finance_server(client, backing_timeout=settings.backing_timeout)
    await serve(server, options, settings, what="finance MCP server")


if __name__ == "__main__":
    arguments = command_line(__doc__, port=8001).parse_args()
    main(lambda settings: run(settings, arguments))
