"""Commands in processes of their own, forked from one that has imported what is large: a start takes no seconds.

For what a command does. How it starts is shown by whole interpreters: `stacks`, `test_first_command`, `test_workers`.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from durable_loop import cli

__all__ = ["PROGRAM", "Ran", "piped", "run_pytest", "typed"]

# `durable-loop` in an interpreter of its own, for a terminal: `python …`.
PROGRAM = ("-c", "from durable_loop.cli import main; main()")
_ROOT = Path(__file__).parents[2]
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        *("mcp", "temporalio.openai_agents", "temporalio.testing", "temporalio.worker", "httpx", "rich.console"),
        *("durable_loop.cli.app", "durable_loop.cli.ask", "durable_loop.cli.chat", "durable_loop.cli.session"),
        *("durable_loop.cli.history", "durable_loop.testing.own_agent"),
    ]
)


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    output: str
    errors: str


async def piped(folder: Path, *words: str, stdin: str = "", **environment: str) -> Ran:
    """Run `durable-loop` in a folder, with pipes for all that it reads and writes."""
    with (
        tempfile.NamedTemporaryFile("r", encoding="utf-8") as errors,
        tempfile.NamedTemporaryFile("w", encoding="utf-8") as typed_in,
    ):
        typed_in.write(stdin)
        typed_in.flush()
        streams = {"errors": errors.name, "typed": typed_in.name}
        code, output = await _run(cli.main, "durable-loop", *words, folder=folder, environment=environment, **streams)
        ran = Ran(code, output, errors.read())
    assert "Traceback" not in ran.output + ran.errors
    return ran


async def typed(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Run `durable-loop` in a folder; return the exit code and all that it wrote."""
    code, output = await _run(cli.main, "durable-loop", *words, folder=folder, environment=environment)
    assert "Traceback" not in output
    return code, output


async def run_pytest(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Run pytest in a folder; return the exit code and all that it wrote."""
    words = ("-p", "no:cacheprovider", *words)
    return await _run(_pytest, "pytest", *words, folder=folder, environment={"COLUMNS": "200", **environment})


async def _run(
    program: Callable[[], object],
    *words: str,
    folder: Path,
    environment: Mapping[str, str],
    errors: str | None = None,
    typed: str = os.devnull,
) -> tuple[int, str]:
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as written:
        # What the process gets is whole: nothing comes from the one that it is forked from.
        variables = {**os.environ, "PYTHONPATH": str(_ROOT), **environment}
        arguments = (program, words, folder, variables, (typed, written.name, errors or written.name))
        process = _FORKING.Process(target=_become, args=arguments, daemon=True)
        process.start()
        await asyncio.to_thread(process.join)
        assert process.exitcode is not None
        return process.exitcode, written.read()


def _become(
    program: Callable[[], object],
    words: tuple[str, ...],
    folder: Path,
    environment: Mapping[str, str],
    streams: tuple[str, str, str],
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    typed, *written = streams
    os.dup2(os.open(typed, os.O_RDONLY), 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    for descriptor, path in enumerate(written, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), descriptor)
    sys.argv = list(words)
    sys.path[:] = [path for path in sys.path if path] + environment["PYTHONPATH"].split(os.pathsep)
    program()


def _pytest() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "durable_loop"]:
        del sys.modules[name]  # pytest rewrites the modules of a plugin as it imports them
    raise SystemExit(pytest.console_main())
