"""Wait for something to become true, without guessing how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.chat.client import Chat

TIMEOUT = 20.0
INTERVAL = 0.02


async def eventually(condition: Callable[[], Awaitable[bool]], *, timeout: float = TIMEOUT) -> None:  # noqa: ASYNC109 - a bound for the whole wait
    """Return as soon as `condition` holds; a workflow that does not exist yet counts as not yet.

    Raises:
        TimeoutError: it never held.
    """
    async with asyncio.timeout(timeout):
        while True:
            try:
                if await condition():
                    return
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            await asyncio.sleep(INTERVAL)


async def activity_runs(chat: Chat, name: str) -> bool:
    """Whether a worker has taken an activity whose type ends in `name`, and not answered it yet."""
    described = await chat.handle.describe()
    return any(
        pending.activity_type.name.endswith(name)
        and pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        for pending in described.raw_description.pending_activities
    )
