"""What the commands within a chat do."""

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from temporalio.service import RPCError

from durable_loop.chat.listing import all_chats
from durable_loop.cli import command_words, tables
from durable_loop.cli.output import save
from durable_loop.cli.session import Session
from durable_loop.cli.spoken import spoken
from durable_loop.cli.timeline.loading import of_chat
from durable_loop.cli.timeline.transcript import transcript
from durable_loop.cli.timeline.value import Timeline
from durable_loop.cli.written import FORMATS, WholeChat
from durable_loop.errors import DurableLoopError, SettingsError
from durable_loop.models.naming import check_key, resolve_model

__all__ = ["ACTIONS", "act"]

# A conversation is not to be scrolled away.
LISTED: Final = 20


async def act(session: Session, name: str, argument: str) -> None:
    """Do what a command says; what goes wrong is told, and the chat goes on."""
    try:
        await ACTIONS[name](session, argument)
    except DurableLoopError as error:
        session.lines.complain(command_words.said_wrong(str(error)))
    except RPCError as error:
        session.lines.complain(command_words.said_wrong(f"Temporal does not answer: {error.message}"))


async def _new(session: Session, argument: str) -> None:
    if argument:
        _choose(session, argument)
    left = session.talking.chat.chat_id if session.talking.begun else None
    session.new_chat()
    session.lines.tell(command_words.new_chat(session.choice.name, left=left))


async def _chats(session: Session, _: str) -> None:
    chats, look = await all_chats(session.client), session.lines.look()
    newest = chats[:LISTED]
    shown = tables.plain(newest, None) if look is None else tables.table(newest, None, look)
    session.lines.tell(f"{shown}{command_words.more_chats(len(chats) - len(newest))}" if chats else tables.NO_CHATS)


async def _resume(session: Session, argument: str) -> None:
    await session.resume(argument or None)
    session.lines.tell(command_words.resumed(session.talking.chat.chat_id))
    await session.answer_what_is_open()


async def _history(session: Session, _: str) -> None:
    if _has_begun(session):
        session.lines.tell(spoken(transcript(await _timeline(session)), session.lines.look()))


async def _tools(session: Session, _: str) -> None:
    listed = await session.talking.chat.tools() if session.talking.begun else []
    session.lines.tell(command_words.tools(listed, session.lines.look()))


async def _model(session: Session, argument: str) -> None:
    begun = session.talking.begun
    model = (await session.talking.chat.status()).model if begun else session.talking.chat.start.model
    if argument:
        _choose(session, argument)
        if not begun:
            session.new_chat()
    session.lines.tell(command_words.model_is(model, begun=begun, next_one=session.choice.name if argument else None))


async def _approve(session: Session, _: str) -> None:
    if _has_begun(session):
        await session.talking.answer_questions()


async def _cancel(session: Session, _: str) -> None:
    if _has_begun(session):
        status = await session.talking.chat.status()
        # Those that wait first: none of them begins in between.
        turns = [turn_id for turn_id in (*reversed(status.waiting), status.running) if turn_id is not None]
        for turn_id in turns:
            await session.talking.chat.cancel(turn_id)
        session.lines.tell(command_words.cancelled(len(turns)))


async def _compact(session: Session, _: str) -> None:
    if _has_begun(session):
        await session.talking.chat.compact()
        session.lines.tell(command_words.compacting())


async def _edit(session: Session, argument: str) -> None:
    session.lines.edit(argument)


async def _export(session: Session, argument: str) -> None:
    if not _has_begun(session):
        return
    format_, _, file = argument.partition(" ")
    if format_ not in FORMATS:
        if argument and "." not in argument:
            raise SettingsError(command_words.no_such_format(argument, FORMATS))
        format_, file = "md", argument
    chat_id = session.talking.chat.chat_id
    chat = WholeChat.of(await _timeline(session))
    # Whoever named the workflow need not have had files in mind.
    path = _save(FORMATS[format_](chat), file.strip() or f"{re.sub(r'[^A-Za-z0-9._-]', '_', chat_id)}.{format_}")
    session.lines.tell(command_words.exported(path))


async def _timeline(session: Session) -> Timeline:
    """Read the chat from its history: also what the chat itself has made a summary of."""
    return await of_chat(session.client, session.talking.chat.chat_id)


async def _link(session: Session, _: str) -> None:
    if _has_begun(session):
        session.lines.tell(command_words.link(session.link()))


async def _status(session: Session, _: str) -> None:
    session.lines.tell(command_words.parts_are(session.client.service_client.config.target_host, session.status))
    if _has_begun(session):
        session.lines.tell(command_words.chat_is(session.talking.chat.chat_id, await session.talking.chat.status()))


ACTIONS: Final[Mapping[str, Callable[[Session, str], Awaitable[None]]]] = {
    "new": _new,
    "chats": _chats,
    "resume": _resume,
    "history": _history,
    "tools": _tools,
    "model": _model,
    "approve": _approve,
    "cancel": _cancel,
    "compact": _compact,
    "edit": _edit,
    "export": _export,
    "link": _link,
    "status": _status,
}


def _save(content: str, typed: str) -> Path:
    try:
        path = Path(typed).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{typed}: there is no such home folder.") from error
    save(content, path)
    return path


def _choose(session: Session, name: str) -> None:
    """Take a model for the next chat that begins.

    Raises:
        ModelSetupError: there is no such model, or its key is missing.
    """
    choice = resolve_model(name)
    check_key(choice, os.environ)
    session.choice = choice


def _has_begun(session: Session) -> bool:
    """Say so where there is nothing yet that could be told."""
    if not session.talking.begun:
        session.lines.tell(command_words.not_begun())
    return session.talking.begun
