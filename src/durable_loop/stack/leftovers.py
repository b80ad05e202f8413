"""What a supervisor that was killed left running."""

import logging
from collections.abc import Sequence
from contextlib import suppress

import psutil

from durable_loop.stack.messages import ProcessRecord

__all__ = ["end_leftovers"]

logger = logging.getLogger(__name__)

TIMEOUT = 5.0


def end_leftovers(processes: Sequence[ProcessRecord]) -> None:
    """End what a supervisor that was killed left running; a pid that means another process now is left alone."""
    alive: list[psutil.Process] = []
    for record in processes:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(record.pid)
            if process.create_time() == record.created:
                logger.warning("Ending %s (pid %s), left over by a supervisor that died", record.name, record.pid)
                process.kill()
                alive.append(process)
    psutil.wait_procs(alive, timeout=TIMEOUT)
