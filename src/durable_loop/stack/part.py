"""One part of the stack: a process that is started, waited for, and started again when it dies."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from durable_loop.bootstrap.process import READY
from durable_loop.stack.messages import PartState, PartStatus, ProcessRecord

__all__ = ["Part", "python_module"]

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
LOG_KEPT_BYTES = 5_000_000
ERROR_LINES = 3


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module; `-P`: a folder `workers` where the user happens to be is not ours."""
    return (sys.executable, "-P", "-m", module, *arguments)


class Part:
    """A supervised process. `changed` is called at every change of its status.

    It is ready when it prints a line that starts with `ready:`, or when `probe` returns.
    """

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        *,
        environment: Mapping[str, str],
        log: Path,
        changed: Callable[[], None],
        probe: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._log = log
        self._changed = changed
        self._probe = probe
        self._state = PartState.WAITING
        self._failures = 0
        self._last_error = ""
        self._process: asyncio.subprocess.Process | None = None
        self.record: ProcessRecord | None = None
        self.ready = asyncio.Event()

    @property
    def status(self) -> PartStatus:
        """The part now."""
        return PartStatus(
            name=self.name,
            state=self._state,
            failures=self._failures,
            last_error=self._last_error,
            log=self._log,
        )

    async def keep_running(self) -> None:
        """Start the process and start it again whenever it dies, after a pause that grows; until cancelled."""
        while True:
            await self._run_once()
            self.ready.clear()
            self._failures += 1
            self._last_error = self._end_of_log()
            self._enter(PartState.RESTARTING)
            await asyncio.sleep(min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE))

    async def stop(self, *, grace: float) -> None:
        """End the process: asked first, killed when it does not listen."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _run_once(self) -> None:
        self._rotate_log()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        with suppress(psutil.NoSuchProcess):
            created = psutil.Process(self._process.pid).create_time()
            self.record = ProcessRecord(name=self.name, pid=self._process.pid, created=created)
        self._enter(PartState.STARTING)
        watching = asyncio.create_task(self._watch(self._process))
        try:
            await self._process.wait()
        finally:
            watching.cancel()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        if self._probe is not None:
            await self._probe()
            self._become_ready()
        if process.stdout is not None:
            async for line in process.stdout:
                if self._probe is None and line.startswith(READY.encode()):
                    self._become_ready()

    def _become_ready(self) -> None:
        self._failures = 0
        self._last_error = ""
        self.ready.set()
        self._enter(PartState.READY)

    def _enter(self, state: PartState) -> None:
        self._state = state
        self._changed()

    def _rotate_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > LOG_KEPT_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))

    def _end_of_log(self) -> str:
        code = self._process.returncode if self._process else None
        lines = self._log.read_text(errors="replace").splitlines()[-ERROR_LINES:]
        return "\n".join([f"exit code {code}", *lines])
