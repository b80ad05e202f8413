"""Where the words of a command go: what was asked for on standard output, everything beside it on standard error."""

import json
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from durable_loop.errors import DurableLoopError, SettingsError

__all__ = [
    "complain",
    "is_terminal",
    "put",
    "refuse_to_overwrite",
    "save",
    "take_every_character",
    "write",
    "write_json",
]


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at the stream or types into it; a stream may be closed from the start."""
    return stream is not None and not stream.closed and stream.isatty()


def take_every_character() -> None:
    """Have what is written from now on be written, in whatever encoding.

    That is the user's, and the text is anybody's: a character that it has not is no reason to fail.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def write(text: str) -> None:
    """Write what was asked for.

    Raises:
        DurableLoopError: it cannot be written, to a full disk, say.
        BrokenPipeError: whoever read it is gone.
    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DurableLoopError(f"Standard output cannot be written: {error.strerror}.") from error


def complain(text: str) -> None:
    """Write what is beside it: notes, refusals, errors."""
    _write(sys.stderr, text)


def write_json(value: Any) -> None:
    """Write one JSON value, in characters that every terminal and pipe takes."""
    write(f"{json.dumps(value)}\n")


def refuse_to_overwrite(path: Path | None, *, force: bool) -> None:
    """Look whether a file may be written.

    Raises:
        SettingsError: it is there already, and nobody said that it may go.
    """
    if path is not None and path.exists() and not force:
        raise SettingsError(_is_there(path))


def put(content: str, path: Path | None, *, force: bool) -> None:
    """Write what was asked for to a file, else to standard output.

    Raises:
        SettingsError: as `refuse_to_overwrite`; or the file cannot be written.
    """
    if path is None:
        write(content)
        return
    save(content, path, force=force)
    if is_terminal(sys.stderr):
        complain(f"The chat is in {path}.\n")


def save(content: str, path: Path, *, force: bool | None = None) -> None:
    """Write a file; `force` overwrites one that is there, None: that cannot be asked for.

    Raises:
        SettingsError: it is there already, or cannot be written.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError as error:
        raise SettingsError(_is_there(path, can_force=force is not None)) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.") from error
    except ValueError as error:  # a name that no file can have
        raise SettingsError(f"{str(path)!r} cannot be written: {error}.") from error


def _is_there(path: Path, *, can_force: bool = True) -> str:
    return f"{path} is there already: name another file{', or say --force' if can_force else ''}."


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:
        stream.write(text)
        stream.flush()
