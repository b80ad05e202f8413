"""Worker and server processes under a test: started, waited for, killed, and never left behind."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from durable_loop.bootstrap.process import READY
from durable_loop.stack.part import python_module
from durable_loop.testing.errors import ProcessNotReadyError

__all__ = ["ReadyProcess", "running_module"]

READY_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
OUTPUT_LINES = 30


class ReadyProcess:
    """A process that has said that it can be used. Its stderr is in `log`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, announcement: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.announcement = announcement
        self._process = process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def kill(self) -> None:
        """End it as a crash does, with SIGKILL, and return when it is gone."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """End it as an operator does, with SIGTERM; return the exit code."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            return await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            await self.kill()
            raise


@asynccontextmanager
async def running_module(
    module: str, *arguments: str, environment: Mapping[str, str], log: Path
) -> AsyncGenerator[ReadyProcess]:
    """Run a Python module that announces itself with a `ready:` line; end it after the block.

    Raises:
        ProcessNotReadyError: it ended, or said nothing for a minute.
    """
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *python_module(module, *arguments),
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    try:
        line = await _first_ready_line(module, process, log)
        yield ReadyProcess(module, process, line.removeprefix(READY).strip(), log)
    finally:
        if process.returncode is None:
            await ReadyProcess(module, process, "", log).stop()


async def _first_ready_line(module: str, process: asyncio.subprocess.Process, log: Path) -> str:
    if process.stdout is None:
        raise ProcessNotReadyError(name=module, output="(its output was not captured)")
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            async for line in process.stdout:
                if line.startswith(READY.encode()):
                    return line.decode()
    except TimeoutError:
        pass
    raise ProcessNotReadyError(name=module, output=_end_of(log))


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-OUTPUT_LINES:])
