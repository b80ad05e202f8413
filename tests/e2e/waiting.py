"""Wait for something to become true, without guessing how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.chat.client import Chat

TIMEOUT = 60.0
# A query may be lost with a worker's task: where no workflow stays in a cache, now and then.
ONE_LOOK = 5.0
INTERVAL = 0.02


async def eventually(condition: Callable[[], Awaitable[bool]], *, timeout: float = TIMEOUT) -> None:  # noqa: ASYNC109 - a bound for the whole wait
    """Return as soon as `condition` holds; a workflow that does not exist yet, or does not answer, counts as not yet.

    Raises:
        TimeoutError: it never held.
    """
    async with asyncio.timeout(timeout):
        while True:
            try:
                async with asyncio.timeout(ONE_LOOK):
                    if await condition():
                        return
            except TimeoutError:
                pass
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
