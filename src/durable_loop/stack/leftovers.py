"""What a supervisor that was killed left running."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

import psutil

from durable_loop.stack.messages import ProcessRecord

__all__ = ["end_leftovers", "leftovers"]

logger = logging.getLogger(__name__)

TIMEOUT = 5.0


def leftovers(processes: Iterable[ProcessRecord]) -> Sequence[tuple[str, psutil.Process]]:
    """Return those that run, with their names; a pid that means another process now is none."""
    alive: list[tuple[str, psutil.Process]] = []
    for record in processes:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(record.pid)
            if process.create_time() == record.created:
                alive.append((record.name, process))
    return alive


def end_leftovers(processes: Iterable[ProcessRecord]) -> None:
    """End what a supervisor that was killed left running."""
    alive = leftovers(processes)
    for name, process in alive:
        with suppress(psutil.NoSuchProcess):
            logger.warning("Ending %s (pid %s), left over by a supervisor that died", name, process.pid)
            process.kill()
    psutil.wait_procs([process for _, process in alive], timeout=TIMEOUT)
