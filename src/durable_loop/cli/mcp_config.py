"""`durable-loop mcp config`: our MCP servers in the words of a client, printed or merged into its file."""

import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from durable_loop.bootstrap.client import configured_address
from durable_loop.cli.mcp_clients import FORMATS, Format, McpClient, Server, file_of, our_servers
from durable_loop.cli.output import complain, write
from durable_loop.errors import SettingsError
from durable_loop.settings import Settings
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.messages import StackState

__all__ = ["Saved", "merge", "merged", "printed", "run_config"]

Document = MutableMapping[str, Any]

NO_STACK: Final = "  (the tools need a stack that runs: durable-loop up)\n"
NO_KEY: Final = "  (keys are not copied: give the client TEMPORAL_API_KEY yourself, or a profile that has it)\n"
LONGEST_LINE: Final = 4096


def run_config(settings: Settings, client: McpClient, *, save: bool) -> None:
    """Print the configuration, or merge it into the client's file.

    Raises:
        SettingsError: the file cannot be read, understood or written; it is as it was.
    """
    stack = StackState.read(StackFolder(settings.data_dir).state)
    address = stack.temporal_address if stack is not None else configured_address()
    servers = our_servers(client, os.environ, address=address)
    file = file_of(client, sys.platform, os.environ, Path.home())
    if save:
        write(_told(merge(file, FORMATS[client], servers), client))
    else:
        write(printed(FORMATS[client], servers))
        complain(f"  (its place: {file}; --write puts it there)\n")
    if address is None:
        complain(NO_STACK)
    if os.environ.get("TEMPORAL_API_KEY"):
        complain(NO_KEY)


def printed(format_: Format, servers: Sequence[Server]) -> str:
    """Return a whole file that has our servers alone."""
    return merged("", format_, servers) or ""


@dataclass(frozen=True)
class Saved:
    """What became of a client's file; `backup` is what was there before, if anything was."""

    file: Path
    changed: bool
    backup: Path | None = None


def merge(file: Path, format_: Format, servers: Sequence[Server]) -> Saved:
    """Put our servers into a file, and leave the rest of it.

    Raises:
        SettingsError: the file cannot be read, understood or written; it is as it was.
    """
    file = file.resolve()  # a link to somewhere stays one
    try:
        before = file.read_text(encoding="utf-8-sig") if file.exists() else ""
        after = merged(before, format_, servers)
        if after is None:
            return Saved(file, changed=False)
        whole = after.encode()
        file.parent.mkdir(parents=True, exist_ok=True)
        backup = _backed_up(file)
        _replace(file, whole)
    except UnicodeError as error:
        raise SettingsError(_refusal(file, "not all of it is UTF-8")) from error
    except OSError as error:
        raise SettingsError(_refusal(file, str(error.strerror))) from error
    except _NotUnderstoodError as error:
        raise SettingsError(_refusal(file, str(error))) from error
    return Saved(file, changed=True, backup=backup)


def merged(before: str, format_: Format, servers: Sequence[Server]) -> str | None:
    """Return the text with our servers in it; None where they are.

    Raises:
        _NotUnderstoodError: the text is not what such a client writes.
    """
    document = _read(before, format_)
    theirs = _section(document, format_.key)
    changed = False
    for server in servers:
        entry, old = format_.entry(server), _section(theirs, server.name)
        new = {**format_.defaults, **old, **entry}
        for name in {"env", "envs"} & entry.keys():
            new[name] = {**_section(dict(old), name), **entry[name]}
        changed = changed or new != old
        old.update(new)
    return _written(document, format_) if changed else None


class _NotUnderstoodError(Exception):
    """The file of a client is not what such a client writes."""


def _section(parent: Document, key: str) -> Document:
    """Return what is below a key, which need not be there yet."""
    if parent.get(key) is None:
        parent[key] = {}
    if not isinstance(parent[key], MutableMapping):
        raise _NotUnderstoodError(f"`{key}` is there and is no list of names and what they stand for")
    return cast("Document", parent[key])


def _read(text: str, format_: Format) -> Document:
    if not text.strip():
        return {}
    try:
        document: Any = _yaml().load(text) if format_.yaml else json.loads(text, object_pairs_hook=_unique)  # pyright: ignore[reportUnknownMemberType] - its argument is partly untyped
    except json.JSONDecodeError as error:
        raise _NotUnderstoodError(f"line {error.lineno} is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise _NotUnderstoodError("it is too deep") from error
    except (YAMLError, ValueError) as error:  # a date that is none is a ValueError
        raise _NotUnderstoodError(f"it is no YAML: {' '.join(str(error).split())}") from error
    if document is None:  # comments alone
        raise _NotUnderstoodError("it has no settings but comments")
    if not isinstance(document, MutableMapping):
        raise _NotUnderstoodError("it is no list of names and what they stand for")
    return cast("Document", document)


def _unique(pairs: Sequence[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place]))
        raise _NotUnderstoodError(f"`{twice}` is there twice")
    return document


def _written(document: Document, format_: Format) -> str:
    if not format_.yaml:
        return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"
    out = io.StringIO()
    _yaml().dump(document, out)  # pyright: ignore[reportUnknownMemberType] - its argument is partly untyped
    return out.getvalue()


def _yaml() -> YAML:
    yaml = YAML()  # keeps comments and order
    yaml.preserve_quotes = True
    yaml.width = LONGEST_LINE
    return yaml


def _backed_up(file: Path) -> Path | None:
    """Copy what is there beside it, under a name that nothing has."""
    if not file.exists():
        return None
    names = (f"{file.name}.bak{number or ''}" for number in count())
    backup = next(path for name in names if not (path := file.with_name(name)).exists())
    return Path(shutil.copy2(file, backup))


def _replace(file: Path, whole: bytes) -> None:
    """Write in one step: whoever reads meanwhile sees the old file or the new one."""
    descriptor, fresh = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(whole)
            out.flush()
            os.fsync(out.fileno())
        if file.exists():
            shutil.copymode(file, fresh)
        Path(fresh).replace(file)
    except OSError:
        Path(fresh).unlink(missing_ok=True)
        raise


def _refusal(file: Path, why: str) -> str:
    return f"{file} was left as it is: {why}. Mend it, or put there what the command prints without --write."


def _told(saved: Saved, client: McpClient) -> str:
    if not saved.changed:
        return f"{saved.file} has the servers already.\n"
    before = f"; what was there before: {saved.backup}" if saved.backup else ""
    return f"{saved.file} has the servers now{before}. Start {client} again.\n"
