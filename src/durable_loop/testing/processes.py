"""Worker and server processes under a test: started, waited for, killed, and never left behind."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import cast

from durable_loop.bootstrap.process import READY
from durable_loop.settings import Settings
from durable_loop.stack.part import python_module
from durable_loop.testing.errors import ProcessNotReadyError

__all__ = ["MortalProcess", "ReadyProcess", "running_module", "start_process", "variables"]

READY_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
OUTPUT_LINES = 30
POLL_INTERVAL = 0.02


class ReadyProcess:
    """A process that has said that it can be used. Its stderr is in `log`, its stdout in a file beside it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.announcement = ""  # what it said after `ready:`
        self._process = process

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def go_on(self) -> None:
        """Let it go on where it was stopped (SIGCONT)."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it as a crash does, with SIGKILL, and return when it is gone."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """End it as an operator does, with SIGTERM; return the exit code."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        # One that stands at a crash point hears of it now, in the midst of what it does.
        self.go_on()
        try:
            return await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            await self.kill()
            raise


async def start_process(
    name: str,
    command: tuple[str, ...],
    *,
    environment: Mapping[str, str],
    log: Path,
    probe: Callable[[], Awaitable[object]] | None = None,
) -> ReadyProcess:
    """Start a process and return it once it can be used: it said `ready:`, or `probe` returned.

    Raises:
        ProcessNotReadyError: it ended, or was not ready within a minute; it is gone.
    """
    # Files and no pipes: a process that the process leaves behind would hold them open, and its end would not be seen.
    said = log.with_suffix(f"{log.suffix}.stdout")
    with log.open("ab") as errors, said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
    started = ReadyProcess(name, process, log)
    async with AsyncExitStack() as not_ready:
        not_ready.push_async_callback(started.kill)
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                if probe is None:
                    started.announcement = await _announcement(process, said)
                else:
                    await probe()
        except (TimeoutError, EOFError) as error:
            raise ProcessNotReadyError(name=name, output=_end_of(log)) from error
        not_ready.pop_all()
    return started


class MortalProcess:
    """A process that can die and be started again under its name, by the same command."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        *,
        environment: Mapping[str, str],
        log: Path,
        probe: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.name = name
        self._start = partial(start_process, name, command, environment=environment, log=log, probe=probe)
        self._process: ReadyProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None while it is dead."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start it where it is dead; return when it is healthy: a worker gets work, a server answers.

        Raises:
            ProcessNotReadyError: it ended, or was not healthy within a minute.
        """
        if self._process is None:
            self._process = await self._start()

    async def kill(self) -> None:
        """End it as a crash does, with SIGKILL, also where it is stopped; return when it is gone."""
        process, self._process = self._process, None
        if process is not None:
            await process.kill()

    async def stop(self) -> int | None:
        """End it as an operator does, with SIGTERM, also where it is stopped; return the exit code, or None."""
        process, self._process = self._process, None
        return await process.stop() if process is not None else None

    def go_on(self) -> None:
        """Let it go on after a crash point, as if nothing had been."""
        if self._process is not None:
            self._process.go_on()


@asynccontextmanager
async def running_module(
    module: str, *arguments: str, environment: Mapping[str, str], log: Path
) -> AsyncGenerator[ReadyProcess]:
    """Run a Python module that announces itself with a `ready:` line; end it after the block.

    Raises:
        ProcessNotReadyError: it ended, or said nothing for a minute.
    """
    process = await start_process(module, python_module(module, *arguments), environment=environment, log=log)
    try:
        yield process
    finally:
        if process.runs:
            await process.stop()


def variables(settings: Settings) -> dict[str, str]:
    """Return the settings that differ from their defaults, as the environment of a process has them."""
    changed = settings.model_dump(mode="json", exclude_defaults=True, exclude={"llm_model", "mcp_token"})
    if settings.mcp_token is not None:
        changed["mcp_token"] = settings.mcp_token.get_secret_value()
    return {f"DURABLE_LOOP_{name.upper()}": _written(value) for name, value in changed.items()}


def _written(value: object) -> str:
    """Write a setting as its variable has it: several values are separated by commas."""
    return ",".join(cast("list[str]", value)) if isinstance(value, list) else str(value)


async def _announcement(process: asyncio.subprocess.Process, said: Path) -> str:
    while True:
        ended = process.returncode is not None
        if (announced := _announced(said)) is not None:
            return announced
        if ended:
            raise EOFError
        await asyncio.sleep(POLL_INTERVAL)


def _announced(said: Path) -> str | None:
    for line in said.read_text(errors="replace").splitlines(keepends=True):
        if line.startswith(READY) and line.endswith("\n"):
            return line.removeprefix(READY).strip()
    return None


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-OUTPUT_LINES:])
