"""What an environment started and did not end: found by a variable that every process inherits."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

import psutil

from durable_loop.testing.errors import LeakedProcessError

__all__ = ["OWNER_VARIABLE", "no_process_left"]

OWNER_VARIABLE = "DURABLE_LOOP_TESTING_OWNER"
END_TIMEOUT = 10.0
# Those of this process that are not over; what is started now belongs to the last one.
_OWNERS: list[str] = []
# What this process itself belongs to.
_OWN = os.environ.get(OWNER_VARIABLE)
# What Python starts for itself, and ends with itself.
_HELPERS = ("from multiprocessing.forkserver import main", "from multiprocessing.resource_tracker import main")


@contextmanager
def no_process_left(owner: str) -> Generator[None]:
    """Fail at the end of the block if a process is left that inherited OWNER_VARIABLE with this value; end it.

    What this process starts meanwhile inherits it, unless it is given an environment of its own.

    Raises:
        LeakedProcessError: names each of them.
    """
    _OWNERS.append(owner)
    _mark()
    try:
        yield
    finally:
        _OWNERS.remove(owner)
        _mark()
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


def _mark() -> None:
    now = _OWNERS[-1] if _OWNERS else _OWN
    if now is None:
        os.environ.pop(OWNER_VARIABLE, None)
    else:
        os.environ[OWNER_VARIABLE] = now


def _is_of_the_interpreter(process: psutil.Process) -> bool:
    """Whether it is a helper of Python's own, or a process of a fork server, which ends with that."""
    parent = process.parent()
    return any(helper in _command(each) for each in (process, parent) if each is not None for helper in _HELPERS)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return "gone"
