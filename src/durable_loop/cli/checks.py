"""What `durable-loop doctor` looks at. A check starts nothing, changes nothing and never shows a key."""

import asyncio
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from durable_loop.bootstrap.client import configured_address
from durable_loop.cli import screen
from durable_loop.cli.overview import PartNow, overview
from durable_loop.cli.terminal import Look
from durable_loop.errors import ModelSetupError, StackError
from durable_loop.models.naming import check_key, key_hint, resolve_model
from durable_loop.settings import Settings
from durable_loop.stack.binaries import find_temporal
from durable_loop.stack.folder import ROOM_NEEDED
from durable_loop.stack.lease import check_temporal, is_left_over, running_stack
from durable_loop.stack.messages import StackState
from durable_loop.stack.plan import TEMPORAL, local_port
from durable_loop.stack.ports import HOST

__all__ = ["Check", "Finding", "Verdict", "all_checks", "python", "settings_file", "terminal"]

OLDEST_PYTHON: Final = (3, 11)
# Below it, a warning: some chats more, and the disk is full.
LITTLE_ROOM: Final = 10 * ROOM_NEEDED
VERSION_TIMEOUT: Final = 5.0


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"  # it works, and not as one may expect
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is like and, where it is not well, what to do."""

    what: str
    verdict: Verdict
    said: str


@dataclass(frozen=True)
class Check:
    """What is looked at, and how; `look` may take its time, and may never end."""

    what: str
    look: Callable[[], Sequence[Finding]]


def all_checks(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[Check]:
    """Return what there is to look at, in the order in which it is told."""
    return [
        Check("model", lambda: [_model(settings, environ)]),
        Check("data folder", lambda: [_data_folder(settings.data_dir)]),
        Check("temporal program", lambda: [_temporal_program(settings)]),
        Check("ports", lambda: list(_ports(settings))),
        Check("stack", lambda: asyncio.run(_stack(settings))),
    ]


def python() -> Finding:
    """Tell which Python this is, and on what."""
    said = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", Verdict.WRONG, f"{said} is too old: install 3.11 or newer.")
    if sys.platform == "win32":
        return Finding("python", Verdict.WARN, f"{said}; Windows is not tested: use WSL.")
    return Finding("python", Verdict.OK, said)


def settings_file() -> Finding:
    """Tell where the settings come from that have been read."""
    file = Path(".env").absolute()
    said = f"the environment and {file}" if file.exists() else f"the environment (there is no {file})"
    return Finding("settings", Verdict.OK, said)


def terminal(look: Look, encoding: str) -> Finding:
    """Tell what the terminal can show."""
    said = f"{encoding}, {'colours' if look.colours else 'plain text' if look.plain else 'no colours'}"
    if encoding.lower().replace("-", "") != "utf8":
        return Finding(
            "terminal", Verdict.WARN, f"{said}: some characters are shown as `?`; set PYTHONUTF8=1 or LANG=C.UTF-8."
        )
    return Finding("terminal", Verdict.OK, said)


def _model(settings: Settings, environ: Mapping[str, str]) -> Finding:
    try:
        choice = resolve_model(settings.llm_model)
        check_key(choice, environ)
    except ModelSetupError as error:
        return Finding("model", Verdict.WRONG, str(error))
    if choice.offline:
        hint = key_hint(environ)
        return Finding(
            "model", Verdict.OK, " ".join(["the offline model (no key, no network).", *([hint] if hint else [])])
        )
    if settings.model_provider is None and importlib.util.find_spec("litellm") is None:
        said = f"{choice.name} needs LiteLLM: pip install 'durable-loop[models]'."
        return Finding("model", Verdict.WRONG, said)
    known = "its key is set" if choice.key_variables else "no key is known to be needed"
    return Finding("model", Verdict.OK, f"{choice.name}; {known}.")


def _data_folder(root: Path) -> Finding:
    there, otherwise = root, "set DURABLE_LOOP_DATA_DIR"
    try:
        there = next(path for path in (root, *root.absolute().parents) if path.exists())
        if not there.is_dir():
            return Finding("data folder", Verdict.WRONG, f"{there} is no folder: {otherwise}.")
        if not os.access(there, os.W_OK | os.X_OK):
            return Finding("data folder", Verdict.WRONG, f"{there} cannot be written to: {otherwise}.")
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding("data folder", Verdict.WRONG, f"{there} cannot be used ({error.strerror}): {otherwise}.")
    said = f"{root}{'' if there == root else ' (made by the first command)'}, {free // 1_000_000:,} MB free"
    if free < ROOM_NEEDED:
        return Finding("data folder", Verdict.WRONG, f"{said}: make room, or {otherwise}.")
    if free < LITTLE_ROOM:
        return Finding("data folder", Verdict.WARN, f"{said}: chats grow, make room or {otherwise}.")
    return Finding("data folder", Verdict.OK, said)


def _temporal_program(settings: Settings) -> Finding:
    what = "temporal program"
    elsewhere, program = configured_address(), find_temporal(settings.temporal_cli)
    if program is None:
        if elsewhere is not None:
            return Finding(what, Verdict.OK, f"there is none, and Temporal at {elsewhere} needs none.")
        said = "there is none: the first start downloads one; offline, pip install 'durable-loop[server]'."
        return Finding(what, Verdict.WARN, said)
    try:
        ran = subprocess.run(  # noqa: S603 - the program whose server is started
            [program, "--version"], check=True, capture_output=True, timeout=VERSION_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = f"{program} does not run ({type(error).__name__}): install it again, or set DURABLE_LOOP_TEMPORAL_CLI."
        return Finding(what, Verdict.WRONG, said)
    return Finding(what, Verdict.OK, f"{ran.stdout.decode(errors='replace').strip()} ({program})")


def _ports(settings: Settings) -> Iterator[Finding]:
    wanted = {
        "Temporal server": settings.temporal_port if configured_address() is None else None,
        "finance MCP server": local_port(settings.finance_mcp_url),
        "IT MCP server": local_port(settings.it_mcp_url),
    }
    runs = asyncio.run(running_stack(settings))
    ours = _ports_of(runs[0]) if runs is not None else frozenset[int | None]()
    for who, port in wanted.items():
        if not port:  # it is elsewhere, or any port will do
            continue
        what = f"port {port}"
        if port in ours:
            yield Finding(what, Verdict.OK, f"the {who} of this stack")
        elif _is_free(port):
            yield Finding(what, Verdict.OK, f"free for the {who}")
        else:
            yield Finding(what, Verdict.WARN, f"taken by something else: the {who} takes another one.")


def _ports_of(stack: StackState) -> frozenset[int | None]:
    temporal = int(stack.temporal_address.rpartition(":")[2]) if stack.own_server else None
    return frozenset({temporal, local_port(stack.finance_mcp_url), local_port(stack.it_mcp_url)})


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


async def _stack(settings: Settings) -> list[Finding]:
    """Look at every part of a stack; without one at the Temporal that is configured."""
    runs, found = await running_stack(settings), await overview(settings)
    if found is None and is_left_over(settings):
        return [Finding("stack", Verdict.WARN, screen.left_over())]
    if found is None:
        return [Finding("stack", Verdict.OK, "none runs; the first command that needs it starts it")]
    if found.stack is None:
        return [_part(part) for part in found.parts if part.name == TEMPORAL]
    findings = [_part(part) for part in found.parts]
    try:
        if runs is not None:
            check_temporal(runs[0])
    except StackError as error:
        findings.append(Finding("stack", Verdict.WRONG, str(error)))
    return findings


def _part(part: PartNow) -> Finding:
    where = " ".join(word for word in (part.address or part.queue, part.version) if word)
    match part.state:
        case "up":
            return Finding(part.name, Verdict.OK, f"{where} is up")
        case "starting":
            return Finding(part.name, Verdict.WARN, f"{where} is starting: look again in a moment.")
        case "down" if part.name == TEMPORAL:
            said = f"{part.problem}: start it, or set TEMPORAL_ADDRESS to one that runs, or unset it."
        case "down":
            said = f"{where}: {part.problem}. If it stays so: durable-loop down, then durable-loop up."
    return Finding(part.name, Verdict.WRONG, said)
