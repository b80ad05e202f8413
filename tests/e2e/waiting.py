"""Wait for something to become true, without guessing how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.service import RPCError, RPCStatusCode

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
