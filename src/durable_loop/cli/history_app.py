"""The commands about recorded histories, as they are typed: `durable-loop history …`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Recorded histories: what happened in real runs, kept, and replayed on this code without a server.",
    no_args_is_help=True,
)

Agents = Annotated[
    list[str] | None,
    typer.Option(
        "--agent", metavar="PACKAGE.MODULE:NAME", help="A DurableAgent; by default what pyproject.toml says, else ours."
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Where histories are stored; by default what pyproject.toml says."),
]

# What the commands do stands in a module of its own, which comes in with the first of them: it takes seconds.
# ruff: noqa: PLC0415


@app.command()
def check(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|FILE]...", help="Stored ones or files; by default all stored.")
    ] = None,
    *,
    agent: Agents = None,
    folder: Folder = None,
) -> None:
    """Replay histories on this code, each at every boundary of its workflow tasks, and compare what is sent.

    FILE may be what `temporal workflow show --output json` wrote.

    Exit codes: 0 all is well; 1 open chats would break, or no agent here has their workflow; 3 they go on and behave
    differently; 4 folder and manifest do not agree, or a file is no history; 2 wrong use or set-up.
    """
    from durable_loop.cli import history

    raise typer.Exit(asyncio.run(history.check(history.project(agent, folder), what or [])))


@app.command("list")
def list_(*, folder: Folder = None) -> None:
    """List the stored histories: id, workflow, events, what is expected, why it is there."""
    from durable_loop.cli import history

    history.list_stored(history.project(None, folder))


@app.command()
def show(
    what: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A stored one, or a file.")],
    *,
    folder: Folder = None,
) -> None:
    """Show a history, one line an event."""
    from durable_loop.cli import history

    history.show(history.project(None, folder), what)


@app.command()
def record(
    workflow_id: Annotated[str, typer.Argument(help="A chat, or any workflow.")],
    *,
    name: Annotated[str, typer.Option("--as", metavar="AREA/SCENARIO", help="The name to store it under.")],
    why: Annotated[str, typer.Option(help="The reason why it is kept.")],
    run: Annotated[str | None, typer.Option("--run", metavar="RUN_ID", help="By default the newest run.")] = None,
    namespace: Annotated[str | None, typer.Option(help="By default that of the chats.")] = None,
    allow: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="That only looks as if it told of the machine.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Store the history of a workflow of a running Temporal (TEMPORAL_ADDRESS) as it is now, scrubbed."""
    from durable_loop.cli import history

    asyncio.run(
        history.record(
            history.project(None, folder),
            workflow_id,
            name=name,
            why=why,
            run=run,
            namespace=namespace,
            allowed=allow or (),
        )
    )


@app.command()
def refresh(
    names: Annotated[list[str], typer.Argument(metavar="AREA/SCENARIO...", help="Whose next generation to record.")],
    *,
    anew: Annotated[
        bool, typer.Option("--anew", help="In the place of the newest generation (before version 0.1.0).")
    ] = False,
) -> None:
    """Run pytest, with `--refresh-histories`, and store what the tests of these scenarios leave behind.

    Exit codes: 0 all of them are recorded; 1 a test failed, or none came to a scenario; 2 wrong use or set-up.
    """
    from durable_loop.cli import history

    raise typer.Exit(history.refresh(history.project(None, None), names, anew=anew))


@app.command()
def accept(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    why: Annotated[str, typer.Option(help="Why it is meant.")],
    drift: Annotated[bool, typer.Option("--drift", help="Something else is sent: exactly what is sent now.")] = False,
    breaks: Annotated[
        bool, typer.Option("--break", help="It does not replay, and need not: no such chat is open any more.")
    ] = False,
    agent: Agents = None,
    folder: Folder = None,
) -> None:
    """Say of a stored history that a change of behaviour, or a break, is meant."""
    from durable_loop.cli import history

    if drift == breaks:
        raise typer.BadParameter("say --drift or --break, one of them")
    asyncio.run(history.accept(history.project(agent, folder), name, why=why, breaks=breaks))


@app.command()
def pull(
    *,
    query: Annotated[str, typer.Option(help="Temporal's list filter, such as: WorkflowType = 'ChatWorkflow'.")],
    address: Annotated[str | None, typer.Option(help="By default TEMPORAL_ADDRESS, or a profile's.")] = None,
    namespace: Annotated[str | None, typer.Option(help="By default that of the chats.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Keep them in a folder.")] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Keep them without what people and tools said; they still replay.")
    ] = False,
    agent: Agents = None,
) -> None:
    """Replay real workflows against this code: the gate before a deployment.

    Exit codes: 0 all is well; 1 open chats would break, or no agent here has their workflow; 3 they go on and behave
    differently; 2 wrong use or set-up.
    """
    from durable_loop.cli import history

    if redact and to is None:
        raise typer.BadParameter("--redact is about what is kept: say --to FOLDER")
    raise typer.Exit(
        asyncio.run(
            history.pull(
                history.project(agent, None),
                query,
                address=address,
                namespace=namespace,
                limit=limit,
                to=to,
                redact=redact,
            )
        )
    )
