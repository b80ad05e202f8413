"""`durable-loop rollout`."""

import sys

from durable_loop.bootstrap.rollout import roll_out
from durable_loop.settings import Settings

__all__ = ["rollout"]

SOME_ARE_LEFT = 1


async def rollout(settings: Settings, *, old_workers_gone: bool) -> int:
    """Roll out the build of the settings; the exit code says whether everything has moved."""
    done = await roll_out(settings, old_workers_gone=old_workers_gone)
    sys.stdout.write(
        f"Build {settings.build_id} of {settings.deployment} is the current one. "
        f"Open workflows handed over to it: {done.moved}.\n"
    )
    if not done.left:
        return 0
    sys.stdout.write(
        f"{len(done.left)} have not moved, their old workers do not answer: {', '.join(done.left)}\n"
        "Start the old workers again, or say --old-workers-gone if the new build can replay what they ran.\n"
    )
    return SOME_ARE_LEFT
