"""The commands: `durable-loop chat | ask | chats | show | export | end | up | down | status | rollout | history`."""

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from durable_loop.bootstrap.process import leave
from durable_loop.cli import chats_app, history_app
from durable_loop.errors import DurableLoopError, SettingsError, SetupError
from durable_loop.settings import load_settings

__all__ = ["run"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

app = typer.Typer(
    help="A chat agent that can be killed at any moment and never loses, repeats or mixes up a turn.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(chats_app.app)
app.add_typer(history_app.app, name="history")


@app.command()
def chat(
    chat_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="With --resume: which chat.")] = None,
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
    raise typer.Exit(_run(run_chat(load_settings(), resume=resume, chat_id=chat_id, stack=stack, approve=approve)))


@app.command()
def up() -> None:
    """Start the stack and leave it running until `durable-loop down`."""
    from durable_loop.cli.stack import up  # noqa: PLC0415 - as above

    _run(up(load_settings()))


@app.command()
def down() -> None:
    """End the stack, whoever uses it. The chats stay on disk."""
    from durable_loop.cli.stack import down  # noqa: PLC0415 - as above

    _run(down(load_settings()))


@app.command()
def status() -> None:
    """Show whether the stack runs, and where."""
    from durable_loop.cli.stack import status  # noqa: PLC0415 - as above

    raise typer.Exit(_run(status(load_settings())))


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
    from durable_loop.cli.rollout import rollout  # noqa: PLC0415 - as above

    command = rollout(load_settings(), old_workers_gone=old_workers_gone, patience=timedelta(seconds=patience))
    raise typer.Exit(_run(command))


def run(arguments: Sequence[str] | None) -> NoReturn:
    """Run a command and end the process: 0 done, 1 failed, 2 wrong use or set-up, 130 interrupted."""
    os.umask(0o077)  # chats, logs and what was typed are for their owner alone
    code: int | str | None = 0
    try:
        app(list(arguments) if arguments is not None else None, prog_name="durable-loop")
    except SystemExit as exit_:
        code = exit_.code
    except DurableLoopError as error:
        sys.stderr.write(f"{error}\n")
        code = 2 if isinstance(error, SetupError) else 1
    except BrokenPipeError:  # whoever read the output has seen enough
        code = 1
    except KeyboardInterrupt:
        code = 130
    except Exception:
        logger.exception("This is a bug: please report it with what follows")
        code = 1
    leave(code if isinstance(code, int) else 1)


def _run(command: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(command)
