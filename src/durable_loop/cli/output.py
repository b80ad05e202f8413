"""Where the words of a command go: what was asked for on standard output, everything beside it on standard error."""

import json
import sys
from typing import Any, TextIO

__all__ = ["complain", "is_terminal", "write", "write_json"]


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at the stream or types into it; a stream may be closed from the start."""
    return stream is not None and not stream.closed and stream.isatty()


def write(text: str) -> None:
    """Write what was asked for."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """Write what is beside it: notes, refusals, errors."""
    _write(sys.stderr, text)


def write_json(value: Any) -> None:
    """Write one JSON value, in characters that every terminal and pipe takes."""
    write(f"{json.dumps(value)}\n")


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:
        # The encoding is the user's, the text is anybody's: a character that it has not is no reason to fail.
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, errors="replace").decode(encoding))
        stream.flush()
