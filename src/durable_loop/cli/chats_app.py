"""The commands about chats that need no prompt, as they are typed: `durable-loop ask`, …."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from durable_loop.cli.completing import chat_ids
from durable_loop.settings import load_settings

__all__ = ["app"]

app = typer.Typer()

Stack = Annotated[bool, typer.Option("--stack/--no-stack", help="Start what is needed, or use what runs already.")]

# What a command does stands in a module of its own: the client of Temporal comes in with it.
# ruff: noqa: PLC0415


@app.command()
def ask(
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT|-]", help="The message; what is piped in is added below it.")
    ] = None,
    *,
    chat: Annotated[
        str | None, typer.Option("--chat", metavar="ID", help="In which chat; else a new one.", autocompletion=chat_ids)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="Allow what you would be asked about; by default it is refused.")
    ] = False,
    stack: Stack = True,
) -> None:
    """Ask one thing and print the reply, and nothing else, on standard output.

    Exit codes: 0 answered; 1 no reply; 2 wrong use or set-up.
    """
    from durable_loop.cli.ask import run_ask, whole_question

    settings = load_settings()
    whole = whole_question(text, sys.stdin)  # not within the event loop: Ctrl-C would not end it
    asked = run_ask(settings, whole, chat_id=chat, as_json=json, approve=approve, stack=stack)
    raise typer.Exit(asyncio.run(asked))


@app.command()
def chats(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    long: Annotated[bool, typer.Option("--long", help="Ask each chat for turns, tokens and its last message.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="How many at most.")] = None,
    stack: Stack = True,
) -> None:
    """List the chats, the newest first; `?` is what is not known.

    In a pipe the list is plain, and nothing is cut.
    """
    from durable_loop.cli.chats import run_chats

    asyncio.run(run_chats(load_settings(), as_json=json, long=long, limit=limit, stack=stack))


@app.command()
def end(
    chat_ids: Annotated[list[str], typer.Argument(metavar="ID...", autocompletion=chat_ids)], *, stack: Stack = True
) -> None:
    """Have chats answer what they accepted, and end. What was said in them stays.

    Exit codes: 0 all of them end; 1 some do not exist; 2 wrong use or set-up.
    """
    from durable_loop.cli.end import run_end

    raise typer.Exit(asyncio.run(run_end(load_settings(), chat_ids, stack=stack)))


@app.command()
def export(
    chat_id: Annotated[str, typer.Argument(metavar="ID", autocompletion=chat_ids)],
    *,
    format_: Annotated[
        Literal["md", "json", "html"], typer.Option("--format", help="Markdown, a list of lines, or one page.")
    ] = "md",
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="By default standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    stack: Stack = True,
) -> None:
    """Write all that was said in a chat as Markdown, JSON or HTML; no worker is needed."""
    from durable_loop.cli.reading import run_export

    run_export(load_settings(), chat_id, format_=format_, output=output, force=force, stack=stack)


@app.command()
def show(
    chat_id: Annotated[str | None, typer.Argument(metavar="ID", help="Which chat.", autocompletion=chat_ids)] = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="HISTORY.json", help="A history in a file, in the place of a chat.")
    ] = None,
    transcript: Annotated[bool, typer.Option("--transcript", help="Show what was said alone, whole.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Write one page that needs nothing else.")] = False,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="With --html: where to.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    stack: Stack = True,
) -> None:
    """Show what happened in a chat, and when: turns, model calls, tools, retries, gaps, questions.

    It is read from the chat's history: no worker is needed. What was said is shortened there; --transcript tells all of
    it. FILE may be what `temporal workflow show --output json` wrote.
    """
    from durable_loop.cli.showing import run_show

    run_show(
        load_settings(),
        chat_id,
        file=file,
        transcript=transcript,
        html=html,
        output=output,
        force=force,
        stack=stack,
    )
