"""A chat from its history, which needs no worker: for `durable-loop show` and `export`."""

import asyncio
from pathlib import Path

from temporalio.client import Client

from durable_loop.cli.connecting import found_chat, on_temporal
from durable_loop.cli.output import put, refuse_to_overwrite
from durable_loop.cli.timeline.loading import of_chat
from durable_loop.cli.timeline.value import Timeline
from durable_loop.cli.written import FORMATS, WholeChat
from durable_loop.settings import Settings

__all__ = ["read_chat", "run_export"]


def run_export(
    settings: Settings, chat_id: str, *, format_: str, output: Path | None, force: bool, stack: bool
) -> None:
    """Write what was said in a chat to a file, else to standard output.

    Raises:
        SetupError: as `read_chat`; or the file is there already, or cannot be written.
    """
    refuse_to_overwrite(output, force=force)  # before a chat is read
    told = read_chat(settings, chat_id, stack=stack)
    put(FORMATS[format_](WholeChat.of(told)), output, force=force)


def read_chat(settings: Settings, chat_id: str, *, stack: bool) -> Timeline:
    """Return the timeline of a chat.

    Raises:
        SetupError: there is no such chat, its history cannot be read, or Temporal is not there; says what to do.
    """

    async def read(client: Client) -> Timeline:
        chat, _ = await found_chat(client, chat_id, settings)
        return await of_chat(client, chat.chat_id)

    return asyncio.run(on_temporal(read, settings, stack=stack, workers=False))
