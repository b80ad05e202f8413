"""`durable-loop show --transcript` and `export`: a chat as it tells itself."""

import asyncio
import sys
from pathlib import Path

from temporalio.client import Client, WorkflowExecutionStatus

from durable_loop.chat.listing import state_of
from durable_loop.chat.messages import TranscriptLine
from durable_loop.cli import screen
from durable_loop.cli.connecting import found_chat, on_temporal, told
from durable_loop.cli.output import is_terminal, put, refuse_to_overwrite, write
from durable_loop.cli.spoken import spoken
from durable_loop.cli.terminal import Look
from durable_loop.cli.written import FORMATS, WholeChat
from durable_loop.errors import ChatUnavailableError, TemporalUnreachableError
from durable_loop.settings import Settings

__all__ = ["run_export", "show_transcript", "whole_chat"]


def show_transcript(settings: Settings, chat_id: str, *, stack: bool) -> None:
    """Show what was said in a chat.

    Raises:
        SetupError: there is no such chat, or nobody answers for it; says what to do.
    """
    chat = asyncio.run(_read(settings, chat_id, stack=stack))
    write(f"{chat.heading}\n{chat.about}\n\n")
    write(spoken(chat.lines, Look.now() if is_terminal(sys.stdout) else None))


def run_export(
    settings: Settings, chat_id: str, *, format_: str, output: Path | None, force: bool, stack: bool
) -> None:
    """Write a chat to a file, else to standard output.

    Raises:
        SetupError: as `show_transcript`; or the file is there already, or cannot be written.
    """
    refuse_to_overwrite(output, force=force)  # before a chat is waited for
    put(FORMATS[format_](asyncio.run(_read(settings, chat_id, stack=stack))), output, force=force)


async def _read(settings: Settings, chat_id: str, *, stack: bool) -> WholeChat:
    return await on_temporal(lambda client: whole_chat(client, settings, chat_id), settings, stack=stack, workers=True)


async def whole_chat(client: Client, settings: Settings, chat_id: str) -> WholeChat:
    """Return a chat and all that was said in it.

    Raises:
        SetupError: there is no such chat, or nobody answers for it; says what to do.
    """
    chat, described = await found_chat(client, chat_id, settings)
    try:
        status = await told(chat.status(), chat_id=chat.chat_id)
        conversation = await told(chat.conversation(), chat_id=chat.chat_id)
    except ChatUnavailableError as error:
        raise TemporalUnreachableError(screen.no_worker(chat.chat_id)) from error
    # What is accepted and not answered yet was said as well.
    lines = [*conversation.lines, *(TranscriptLine(role="user", text=turn.text) for turn in conversation.open)]
    is_open = described.status is WorkflowExecutionStatus.RUNNING
    state = str(status.phase) if is_open else state_of(described.status)
    return WholeChat(chat.chat_id, status.title, status.model, state, lines)
