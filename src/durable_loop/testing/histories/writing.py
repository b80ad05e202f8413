"""Writes that are whole or not at all, one process after the other.

A file is written beside its place, under a name of its own, and then put there by a rename: a reader, a kill or a full
disk never meets half of one. What cannot be written is told in one line: what, where, and what to do.
"""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import filelock

from durable_loop.errors import SettingsError

__all__ = ["locked", "make_folder", "put", "staged", "telling_what_fails"]

LOCK: Final = ".lock"
# A writer needs milliseconds; one that was killed holds nothing.
LOCK_TIMEOUT: Final = timedelta(seconds=30)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def staged(path: Path) -> Path:
    """Return where the new content of a file stands until it is whole."""
    return path.with_name(f".{path.name}.new")


def put(path: Path) -> None:
    """Put what is staged into its place."""
    os.replace(staged(path), path)  # noqa: PTH105 - a test counts the steps here


@contextmanager
def telling_what_fails(place: Path) -> Generator[None]:
    """Tell in a line what of `place` could not be written.

    Raises:
        SettingsError: something could not; what was there before is still there.
    """
    try:
        yield
    except filelock.Timeout as error:
        seconds = LOCK_TIMEOUT.total_seconds()
        raise SettingsError(
            f"{place} has been written by another process for {seconds:.0f} s: end that one."
        ) from error
    except OSError as error:
        where = error.filename or place
        what_to_do = "Make room on that disk" if error.errno in _FULL else "Make it writable, or name another folder"
        raise SettingsError(f"{where} cannot be written: {error.strerror}. {what_to_do}.") from error


def make_folder(folder: Path) -> None:
    """Make a folder where it is missing.

    Raises:
        SettingsError: it cannot be made.
    """
    with telling_what_fails(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Be the only process that writes in a folder, which is made where it is missing.

    Raises:
        SettingsError: the folder, or something in it during the block, cannot be written.
    """
    make_folder(folder)
    with telling_what_fails(folder):
        lock = folder / LOCK
        with filelock.FileLock(lock, timeout=LOCK_TIMEOUT.total_seconds()):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)  # it stands in a folder that people commit
