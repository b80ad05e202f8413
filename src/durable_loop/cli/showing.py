"""`durable-loop show`: a chat as a timeline, from its server or a file."""

import sys
from pathlib import Path
from typing import Final

from durable_loop.cli.output import is_terminal, put, refuse_to_overwrite, write
from durable_loop.cli.reading import read_chat
from durable_loop.cli.spoken import spoken
from durable_loop.cli.terminal import Look
from durable_loop.cli.timeline.drawing import drawn
from durable_loop.cli.timeline.loading import of_file
from durable_loop.cli.timeline.page import as_page
from durable_loop.cli.written import WholeChat
from durable_loop.errors import SettingsError
from durable_loop.settings import Settings

__all__ = ["run_show"]

# What reads a pipe has no width.
PIPED: Final = Look(columns=100, plain=True, colours=False)


def run_show(
    settings: Settings,
    chat_id: str | None,
    *,
    file: Path | None,
    transcript: bool,
    html: bool,
    output: Path | None,
    force: bool,
    stack: bool,
) -> None:
    """Show a chat, or a history in a file: as a timeline, as a page of it, or what was said.

    Raises:
        SetupError: there is no such chat, file or history; the page cannot be written; or the options contradict each
            other.
    """
    if (output is not None or force) and not html:
        raise SettingsError("--output and --force belong to --html.")
    if transcript and html:
        raise SettingsError(
            "--transcript or --html: `durable-loop export --format html` writes what was said as a page."
        )
    refuse_to_overwrite(output, force=force)
    match chat_id, file:
        case str(), None:
            told = read_chat(settings, chat_id, stack=stack)
        case None, Path():
            told = of_file(file)
        case _:
            raise SettingsError("Name either a chat or, with --file, a file; `durable-loop chats` lists the chats.")
    look = Look.now() if is_terminal(sys.stdout) else None
    if html:
        put(as_page(told), output, force=force)
    elif transcript:
        chat = WholeChat.of(told)
        write(f"{chat.heading}\n{chat.about}\n\n{spoken(chat.lines, look)}")
    else:
        write(drawn(told, look or PIPED))
