"""What a command about chats needs to run: Temporal, for some of them the workers too, and a chat that exists."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names
from durable_loop.bootstrap.client import configured_address, connect, ensure_namespaces
from durable_loop.chat.client import Chat
from durable_loop.chat.messages import ChatInput
from durable_loop.cli import screen
from durable_loop.cli.output import complain, is_terminal
from durable_loop.errors import SettingsError, TemporalUnreachableError
from durable_loop.settings import Settings
from durable_loop.stack.lease import join_stack
from durable_loop.stack.plan import TEMPORAL

__all__ = ["found_chat", "on_temporal"]

T = TypeVar("T")
Work = Callable[[Client], Coroutine[Any, Any, T]]

_NO_SUCH_ID = frozenset({RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT})


async def on_temporal(work: Work[T], settings: Settings, *, stack: bool, workers: bool) -> T:
    """Do the work with a client of the chats' namespace; `workers`: with everything that answers for a chat.

    Raises:
        SetupError: something is missing, unreachable, or goes away meanwhile.
    """
    if not stack or (configured_address() is not None and not workers):
        client = await connect()
        if workers:
            await ensure_namespaces(client, retention=settings.namespace_retention)
        return await _reached(work(client))
    async with join_stack(settings) as lease:
        if is_terminal(sys.stderr):
            lease.watch(screen.Progress(complain))
        await lease.wait_until_ready(only=() if workers else (TEMPORAL,))
        client = await connect(address=lease.addresses.temporal_address)
        return await lease.unless_over(asyncio.create_task(_reached(work(client))))


async def found_chat(
    client: Client, chat_id: str, settings: Settings, start: ChatInput | None = None
) -> tuple[Chat, WorkflowExecutionDescription]:
    """Return the chat with this id, open or ended, and what its server knows of it.

    Raises:
        SettingsError: there is none; says what to type.
    """
    chat_id = chat_id.encode(errors="replace").decode()
    start = start or ChatInput(model=names.MODEL_OFFLINE)  # a chat that exists has been started
    chat = Chat(client, chat_id, start, task_queue=settings.orchestrator_queue)
    try:
        described = await chat.handle.describe()
    except RPCError as error:
        if error.status in _NO_SUCH_ID:
            raise SettingsError(screen.unknown_chat(chat_id)) from error
        raise
    if described.workflow_type != names.WORKFLOW_CHAT:
        raise SettingsError(screen.unknown_chat(chat_id))
    return chat, described


async def _reached(work: Awaitable[T]) -> T:
    try:
        return await work
    except RPCError as error:
        raise TemporalUnreachableError(f"Temporal does not do what it is asked for: {error.message}") from error
