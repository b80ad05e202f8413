"""`durable-loop up`, `down` and `status`."""

import sys

from durable_loop.cli import screen
from durable_loop.settings import Settings
from durable_loop.stack.lease import end_stack, join_stack, keep_stack, running_stack

__all__ = ["down", "status", "up"]

NOT_RUNNING = 1


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


async def status(settings: Settings) -> int:
    """Show the stack; the exit code says whether there is one."""
    found = await running_stack(settings)
    if found is None:
        sys.stdout.write("No stack is running.\n")
        return NOT_RUNNING
    state, now = found
    sys.stdout.write(screen.addresses(state))
    sys.stdout.write(screen.stays(kept=now.kept))
    if not now.ready:
        sys.stdout.write(f"{screen.starting(now)}\n")
    return 0
