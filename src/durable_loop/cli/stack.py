"""`durable-loop up` and `down`."""

import sys

from durable_loop.cli import screen
from durable_loop.settings import Settings
from durable_loop.stack.lease import end_stack, join_stack, keep_stack

__all__ = ["down", "up"]


async def up(settings: Settings) -> None:
    """Start the stack, wait until it is ready, and have it stay."""
    async with join_stack(settings) as lease:
        lease.watch(screen.Progress(sys.stdout.write))
        await lease.wait_until_ready()
        await keep_stack(settings)
        sys.stdout.write(screen.addresses(lease.addresses))
        sys.stdout.write(screen.stays(kept=True))


async def down(settings: Settings) -> None:
    """End the stack and return when it is gone."""
    ended = await end_stack(settings)
    sys.stdout.write("The stack has ended; the chats stay.\n" if ended else "No stack was running.\n")
