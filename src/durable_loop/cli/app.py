"""The commands: `durable-loop chat`; those about chats, around them and about histories have a module each."""

import asyncio
import logging
import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from durable_loop.bootstrap.process import leave
from durable_loop.cli import chats_app, history_app, operating_app
from durable_loop.cli.completing import chat_ids
from durable_loop.cli.output import complain, take_every_character, write
from durable_loop.cli.screen import printable
from durable_loop.errors import DurableLoopError, SettingsError, SetupError
from durable_loop.settings import load_settings

__all__ = ["run"]

logger = logging.getLogger(__name__)

app = typer.Typer(
    help="A chat agent that can be killed at any moment and never loses, repeats or mixes up a turn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(chats_app.app)
app.add_typer(operating_app.app)
app.add_typer(history_app.app, name="history")


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's
    if wanted:
        write(f"durable-loop {version('durable-loop')}\n")
        raise typer.Exit


@app.callback()
def options(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and leave.")
    ] = False,
) -> None:
    """Take what stands before a command."""


@app.command()
def chat(
    chat_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="With --resume: which chat.", autocompletion=chat_ids)
    ] = None,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a chat: the one named ID, else the newest.")
    ] = False,
    stack: Annotated[
        bool, typer.Option("--stack/--no-stack", help="Start what is needed, or use what runs already.")
    ] = True,
    approve: Annotated[
        bool, typer.Option("--approve", help="In a pipe: allow what you would be asked about; else it is refused.")
    ] = False,
) -> None:
    """Chat with the durable agent; everything that it needs is started for you."""
    from durable_loop.cli.chat import run_chat  # noqa: PLC0415 - the other commands do without a terminal

    if chat_id is not None and not resume:
        raise SettingsError(f"To go on with a chat, say --resume {chat_id}.")
    raise typer.Exit(
        asyncio.run(run_chat(load_settings(), resume=resume, chat_id=chat_id, stack=stack, approve=approve))
    )


def run(arguments: Sequence[str] | None) -> NoReturn:
    """Run a command and end the process: 0 done, 1 failed, 2 wrong use or set-up, 130 interrupted."""
    os.umask(0o077)  # chats, logs and what was typed are for their owner alone
    # Of a server that is away, or of a history that does not replay, we tell ourselves, and in a sentence.
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    take_every_character()
    code: int | str | None = 0
    try:
        app(list(arguments) if arguments is not None else None, prog_name="durable-loop")
    except SystemExit as exit_:
        code = exit_.code
    except DurableLoopError as error:
        complain(f"{printable(str(error))}\n")
        code = 2 if isinstance(error, SetupError) else 1
    except BrokenPipeError:  # whoever read the output has seen enough
        code = 1
    except OSError as error:  # a full disk, a folder that is a file: the machine's, and no bug
        where = f"{error.filename}: " if error.filename else ""
        complain(f"{printable(f'{where}{error.strerror or error}')}.\n")
        code = 1
    except KeyboardInterrupt:
        code = 130
    except Exception:
        logger.exception("This is a bug: please report it with what follows")
        code = 1
    leave(code if isinstance(code, int) else 1)
