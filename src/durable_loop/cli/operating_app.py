"""The commands around the chat, as they are typed: `durable-loop up`, `status`, `doctor`, ….

What they do stands in modules of their own, which come in with the command: a shell that completes a word waits.
"""

import asyncio
from datetime import timedelta
from typing import Annotated, Literal

import typer

from durable_loop.settings import load_settings

__all__ = ["app"]

app = typer.Typer()
mcp = typer.Typer(help="The MCP servers, for clients other than the chat.", no_args_is_help=True)
app.add_typer(mcp, name="mcp")

# ruff: noqa: PLC0415


@app.command()
def up() -> None:
    """Start the stack and leave it running until `durable-loop down`."""
    from durable_loop.cli.stack import up

    asyncio.run(up(load_settings()))


@app.command()
def down() -> None:
    """End the stack, whoever uses it. The chats stay on disk."""
    from durable_loop.cli.stack import down

    asyncio.run(down(load_settings()))


@app.command()
def status(*, json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Show every part of the stack: up or down, where, which version, and what waits in its queue.

    Of a Temporal that is configured (TEMPORAL_ADDRESS) also without a stack. In a pipe: a line a part, with tabs.

    Exit codes: 0 everything is up; 1 nothing runs here; 3 something is down or starting; 2 wrong use or set-up.
    """
    from durable_loop.cli.status import run_status

    raise typer.Exit(asyncio.run(run_status(load_settings(), as_json=json)))


@app.command()
def doctor(*, json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Look at what a chat needs, a line each: ok, warn or wrong, and what to do. Changes and starts nothing.

    Exit codes: 0 nothing is wrong; 1 something is; 2 wrong use.
    """
    from durable_loop.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(as_json=json))


@app.command()
def rollout(
    *,
    old_workers_gone: Annotated[
        bool, typer.Option("--old-workers-gone", help="Move what old workers left behind; the new build replays it.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", min=1, help="How long to wait while nothing moves.")
    ] = 30,
) -> None:
    """Make the build of these settings the current one, and hand open chats over to it."""
    from durable_loop.cli.rollout import rollout

    command = rollout(load_settings(), old_workers_gone=old_workers_gone, patience=timedelta(seconds=patience))
    raise typer.Exit(asyncio.run(command))


@mcp.command()
def config(
    *,
    client: Annotated[
        Literal["claude-desktop", "cursor", "goose", "vscode"], typer.Option("--client", help="Who starts the servers.")
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Merge it into the client's file; what was there is kept, with a backup.")
    ] = False,
) -> None:
    """Print what lets an MCP client on this machine start the finance and the IT server.

    Exit codes: 0 done; 2 wrong use, or the client's file cannot be understood: then it is left as it is.
    """
    from durable_loop.cli.mcp_clients import McpClient
    from durable_loop.cli.mcp_config import run_config

    run_config(load_settings(), McpClient(client), save=write)
