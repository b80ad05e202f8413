"""`durable-loop ask`: one message, its reply on standard output, and an exit code."""

import asyncio
import os
import sys
from datetime import timedelta
from typing import Final, TextIO
from uuid import uuid4

from temporalio.client import Client

from durable_loop import names
from durable_loop.bootstrap.policy import chat_policy
from durable_loop.chat.client import MAX_MESSAGE_BYTES, Chat, Decide, new_chat_id
from durable_loop.chat.messages import ChatInput, Decision, Question, Reply, Verdict
from durable_loop.cli import screen
from durable_loop.cli.connecting import found_chat, on_temporal
from durable_loop.cli.markdown import rendered
from durable_loop.cli.output import complain, is_terminal, write, write_json
from durable_loop.cli.terminal import Look
from durable_loop.errors import ChatError, ChatWaitsError, SettingsError
from durable_loop.models.naming import check_key, resolve_model
from durable_loop.settings import Settings

__all__ = ["deciding", "run_ask", "whole_question"]

NO_REPLY: Final = 1
# Others who ask with a command have their questions answered at once.
OTHERS_PATIENCE: Final = timedelta(seconds=5)
STDIN: Final = "-"
NOT_APPROVED: Final = "nobody can be asked: the message was sent by a command without --approve"


async def run_ask(
    settings: Settings, text: str, *, chat_id: str | None, as_json: bool, approve: bool, stack: bool
) -> int:
    """Ask, and return the exit code.

    Raises:
        SetupError: something is missing or unreachable; says what and what to do.
    """
    choice = resolve_model(settings.llm_model)
    check_key(choice, os.environ)
    start = ChatInput(model=choice.name, policy=chat_policy(settings))

    async def ask(client: Client) -> int:
        chat = await _chat(client, chat_id, settings, start)
        turn_id = uuid4().hex
        try:
            reply = await chat.send(text, turn_id=turn_id, decide=deciding(chat.chat_id, turn_id, approve=approve))
        except asyncio.CancelledError:
            complain(screen.accepted_perhaps(chat.chat_id))
            raise
        except ChatError as error:
            _say_failure(chat, error, as_json=as_json)
            return NO_REPLY
        _say_reply(chat, reply, as_json=as_json)
        if chat_id is None and is_terminal(sys.stderr):
            complain(screen.asked_in(chat.chat_id))
        return 0

    return await on_temporal(ask, settings, stack=stack, workers=True)


def whole_question(typed: str | None, stdin: TextIO | None) -> str:
    """Return the message: what was typed and what is piped in, one below the other.

    Raises:
        SettingsError: there is nothing.
    """
    parts = [] if typed in {None, STDIN} else [typed or ""]
    if typed == STDIN or not is_terminal(stdin):
        parts.append(_read(stdin))
    text = "\n\n".join(part for part in parts if part.strip())
    if not text:
        raise SettingsError('There is nothing to ask: type durable-loop ask "…", or pipe the message in.')
    return text.encode(errors="replace").decode()


def deciding(chat_id: str, turn_id: str, *, approve: bool) -> Decide:
    """Decide about what this message would have done: there is nobody to ask. What others asked for is theirs.

    Raises, where it is called, ChatWaitsError: they do not answer soon.
    """

    async def decide(question: Question) -> Decision | None:
        if question.turn_id != turn_id:
            await asyncio.sleep(OTHERS_PATIENCE.total_seconds())  # ended where the question is closed
            raise ChatWaitsError(screen.asks_somebody(question, chat_id))
        complain(screen.decided_for(question, approved=approve))
        if approve:
            return Decision(question_id=question.question_id, verdict=Verdict.APPROVE)
        return Decision(question_id=question.question_id, verdict=Verdict.REJECT, reason=NOT_APPROVED)

    return decide


async def _chat(client: Client, chat_id: str | None, settings: Settings, start: ChatInput) -> Chat:
    if chat_id is None:
        return Chat(client, new_chat_id(), start, task_queue=settings.orchestrator_queue)
    chat, described = await found_chat(client, chat_id, settings, start)
    # Not asked of the chat: one that many ask at once has no time for queries.
    model = await described.memo_value(names.MEMO_MODEL, "")
    check_key(resolve_model(str(model)), os.environ)
    return chat


def _say_reply(chat: Chat, reply: Reply, *, as_json: bool) -> None:
    if as_json:
        notes = list(reply.notes)
        write_json({"chat": chat.chat_id, "turn": reply.turn_id, "reply": reply.text, "notes": notes})
        return
    text = screen.printable(reply.text)
    shown = rendered(text, Look.now(), labelled=False) if is_terminal(sys.stdout) else f"{text}\n"
    write(shown)
    complain(screen.notes(reply))


def _say_failure(chat: Chat, error: ChatError, *, as_json: bool) -> None:
    if as_json:
        write_json({"chat": chat.chat_id, "error": str(error)})
    else:
        complain(screen.failure(error))


def _read(stdin: TextIO | None) -> str:
    """Return what is piped in, as text, whatever it is; one byte more than can be sent tells that it is too long."""
    if stdin is None or stdin.closed:
        return ""
    return stdin.buffer.read(MAX_MESSAGE_BYTES + 1).decode(errors="replace").strip("\n")
