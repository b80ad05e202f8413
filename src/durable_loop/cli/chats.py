"""`durable-loop chats`: what the server knows of the chats, and with --long what they say themselves."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from durable_loop import names
from durable_loop.chat.client import Chat
from durable_loop.chat.listing import ListedChat, all_chats
from durable_loop.chat.messages import ChatInput
from durable_loop.cli import tables
from durable_loop.cli.connecting import on_temporal
from durable_loop.cli.output import is_terminal, write, write_json
from durable_loop.cli.tables import Said
from durable_loop.cli.terminal import Look
from durable_loop.errors import ChatUnavailableError
from durable_loop.settings import Settings

__all__ = ["run_chats"]

# Whoever lists chats wants to see them now: one that is replayed for longer is left out.
ASK_TIMEOUT: Final = timedelta(seconds=3)
ASKED_AT_ONCE: Final = 8


async def run_chats(settings: Settings, *, as_json: bool, long: bool, limit: int | None, stack: bool) -> None:
    """List the chats.

    Raises:
        SetupError: something is missing or unreachable; says what and what to do.
    """

    async def look(client: Client) -> tuple[Sequence[ListedChat], Sequence[Said] | None]:
        chats = (await all_chats(client))[:limit]
        return await _asked(client, chats) if long else (chats, None)

    chats, said = await on_temporal(look, settings, stack=stack, workers=long)
    if as_json:
        write_json(tables.as_json(chats, said))
    elif not is_terminal(sys.stdout):
        write(tables.plain(chats, said))
    else:
        write(tables.table(chats, said, Look.now()) if chats else tables.NO_CHATS)


async def _asked(client: Client, chats: Sequence[ListedChat]) -> tuple[Sequence[ListedChat], Sequence[Said]]:
    """Ask all chats, a few at once."""
    few = asyncio.Semaphore(ASKED_AT_ONCE)

    async def ask(listed: ListedChat) -> tuple[ListedChat, Said]:
        async with few:
            return await _said(client, listed)

    answers = await asyncio.gather(*map(ask, chats))
    return [listed for listed, _ in answers], [said for _, said in answers]


async def _said(client: Client, listed: ListedChat) -> tuple[ListedChat, Said]:
    """Ask a chat, also for what its memo has not; it is no matter why one does not answer."""
    chat = Chat(client, listed.chat_id, ChatInput(model=names.MODEL_OFFLINE))
    try:
        async with asyncio.timeout(ASK_TIMEOUT.total_seconds()):
            status = await chat.status()
            lines = [line.text for line in await chat.transcript() if line.role in {"user", "agent"}]
    except (TimeoutError, RPCError, ChatUnavailableError):
        return listed, Said()
    listed = replace(listed, title=listed.title or status.title, model=listed.model or status.model)
    return listed, Said(turns=status.turns, tokens=status.tokens, last=lines[-1] if lines else None)
