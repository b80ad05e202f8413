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

import pytest

from durable_loop import cli

__all__ = ["run_pytest", "typed"]

_ROOT = Path(__file__).parents[2]
_FORKING = multiprocessing.get_context("forkserver")
# Not ours: pytest rewrites the modules of a plugin as it imports them.
_FORKING.set_forkserver_preload(["mcp", "temporalio.openai_agents", "temporalio.testing", "temporalio.worker", "typer"])


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
    program: Callable[[], object], *words: str, folder: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as written:
        # What the process gets is whole: nothing comes from the one that it is forked from.
        variables = {**os.environ, "PYTHONPATH": str(_ROOT), **environment}
        arguments = (program, words, folder, variables, written.name)
        process = _FORKING.Process(target=_become, args=arguments, daemon=True)
        process.start()
        await asyncio.to_thread(process.join)
        assert process.exitcode is not None
        return process.exitcode, written.read()


def _become(
    program: Callable[[], object], words: tuple[str, ...], folder: Path, environment: Mapping[str, str], output: str
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    writing = os.open(output, os.O_WRONLY | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(writing, descriptor)
    sys.argv = list(words)
    sys.path[:] = [path for path in sys.path if path] + environment["PYTHONPATH"].split(os.pathsep)
    program()


def _pytest() -> None:
    raise SystemExit(pytest.console_main())
