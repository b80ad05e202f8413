"""`durable-loop rollout`."""

import sys
from collections.abc import Sequence
from datetime import timedelta

from durable_loop.bootstrap.rollout import roll_out
from durable_loop.settings import Settings

__all__ = ["rollout"]

SOME_ARE_LEFT = 1


async def rollout(settings: Settings, *, old_workers_gone: bool, patience: timedelta) -> int:
    """Roll out the build of the settings; the exit code says whether everything has moved."""
    done = await roll_out(settings, old_workers_gone=old_workers_gone, patience=patience)
    sys.stdout.write(
        f"Build {settings.build_id} of {settings.deployment} is the current one. "
        f"Open workflows handed over to it: {done.moved}.\n"
    )
    _name(
        done.at_work,
        "still at work on an older build",
        "A turn or a tool call has to end first: leave the old workers running, and run this command again later.",
    )
    if old_workers_gone:
        _name(
            done.unanswered,
            "put on the new build, which does not answer for them",
            "Its workers are down, or cannot replay what the old ones ran: their logs say so. Roll out a build that "
            "can, again with --old-workers-gone.",
        )
    else:
        _name(
            done.unanswered,
            "waiting for the workers of an older build, which do not answer",
            "Start these again, then run this command again; or say --old-workers-gone, if the new build can replay "
            "what they ran.",
        )
    return SOME_ARE_LEFT if done.at_work or done.unanswered else 0


def _name(left: Sequence[str], state: str, advice: str) -> None:
    if left:
        sys.stdout.write(f"{len(left)} {state}: {', '.join(left)}\n{advice}\n")
