"""The log of one process of the stack, over all its starts."""

import re
from pathlib import Path
from typing import BinaryIO

from durable_loop.bootstrap.process import SETUP_FAILED

__all__ = ["Log"]

KEPT_BYTES = 5_000_000
LAST_LINES = 3
_RECORD = re.compile(r"\d{4}-\d\d-\d\d ")


class Log:
    """A file that grows with every start; it knows where the last start begins."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def open(self) -> BinaryIO:
        """Open it for one more start; the old one is put aside when it has grown long."""
        if self.path.exists() and self.path.stat().st_size > KEPT_BYTES:
            self.path.replace(self.path.with_suffix(".log.1"))
        file = self.path.open("ab")
        self._start = file.tell()
        return file

    def last_words(self, code: int | None) -> str:
        """Return why the last start ended: the message of an error of set-up, else the end of the log."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._start)
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            lines = []
        if code == SETUP_FAILED:
            records = [number for number, line in enumerate(lines) if _RECORD.match(line)]
            message = lines[records[-1] + 1 :] if records else lines
            if message:
                return "\n".join(message)
        return "\n".join([f"exit code {code}", *lines[-LAST_LINES:]])
