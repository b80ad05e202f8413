"""`durable-loop show`: a chat as a timeline, from its server or a file."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from temporalio.client import Client

from durable_loop.cli.connecting import found_chat, on_temporal
from durable_loop.cli.output import is_terminal, put, refuse_to_overwrite, write
from durable_loop.cli.reading import show_transcript
from durable_loop.cli.terminal import Look
from durable_loop.cli.timeline.drawing import drawn
from durable_loop.cli.timeline.loading import of_chat, of_file
from durable_loop.cli.timeline.page import as_page
from durable_loop.cli.timeline.value import Timeline
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
        SetupError: there is no such chat, file or history; nobody answers for the chat, where it has to tell what was
            said; the page cannot be written; or the options contradict each other.
    """
    if (output is not None or force) and not html:
        raise SettingsError("--output and --force belong to --html.")
    if transcript and (html or file is not None):
        raise SettingsError("--transcript goes with a chat alone; `durable-loop export` writes to a file.")
    refuse_to_overwrite(output, force=force)
    match chat_id, file:
        case str(), None if transcript:
            show_transcript(settings, chat_id, stack=stack)
            return
        case str(), None:
            told = asyncio.run(_read(settings, chat_id, stack=stack))
        case None, Path():
            told = of_file(file)
        case _:
            raise SettingsError("Name either a chat or, with --file, a file; `durable-loop chats` lists the chats.")
    if html:
        put(as_page(told), output, force=force)
    else:
        write(drawn(told, Look.now() if is_terminal(sys.stdout) else PIPED))


async def _read(settings: Settings, chat_id: str, *, stack: bool) -> Timeline:
    async def read(client: Client) -> Timeline:
        chat, _ = await found_chat(client, chat_id, settings)
        return await of_chat(client, chat.chat_id)

    return await on_temporal(read, settings, stack=stack, workers=False)
