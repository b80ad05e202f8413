"""What an environment started and did not end: found by a variable that every process inherits."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

import psutil

from durable_loop.testing.errors import LeakedProcessError

__all__ = ["OWNER_VARIABLE", "no_process_left"]

OWNER_VARIABLE = "DURABLE_LOOP_TESTING_OWNER"
END_TIMEOUT = 10.0


@contextmanager
def no_process_left(owner: str) -> Generator[None]:
    """Fail at the end of the block if a process is left that inherited OWNER_VARIABLE with this value; end it.

    What this process starts meanwhile inherits it, unless it is given an environment of its own.

    Raises:
        LeakedProcessError: names each of them.
    """
    before = os.environ.get(OWNER_VARIABLE)
    os.environ[OWNER_VARIABLE] = owner
    try:
        yield
    finally:
        if before is None:
            del os.environ[OWNER_VARIABLE]
        else:
            os.environ[OWNER_VARIABLE] = before
    left = list(_owned_by(owner))
    if left:
        named = [f"{process.pid}: {_command(process)}" for process in left]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=END_TIMEOUT)
        raise LeakedProcessError(named)


def _owned_by(owner: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        # Other users' processes do not tell; one that has ended and was not waited for is none.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            is_owned = process.environ().get(OWNER_VARIABLE) == owner and process.status() != psutil.STATUS_ZOMBIE
            if is_owned and not _is_of_the_interpreter(process):
                yield process


def _is_of_the_interpreter(process: psutil.Process) -> bool:
    """Whether Python started it for itself, and ends it with itself: a fork server, a resource tracker."""
    return process.ppid() == os.getpid() and "from multiprocessing." in " ".join(process.cmdline())


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return "gone"
