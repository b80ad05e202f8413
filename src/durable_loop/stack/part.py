"""One part of the stack: a process that is started, waited for, and started again when it dies."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import psutil

from durable_loop.bootstrap.process import READY
from durable_loop.stack.log import Log
from durable_loop.stack.messages import PartState, PartStatus, ProcessRecord

__all__ = ["Part", "python_module"]

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
# A line longer than this breaks a stream's reader.
LONGEST_LINE = 1_000_000


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
        log: Log,
        changed: Callable[[], None],
        probe: Callable[[], Awaitable[object]] | None = None,
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
            log=self._log.path,
        )

    async def keep_running(self) -> None:
        """Start the process and start it again whenever it dies, after a pause that grows; until cancelled."""
        while True:
            try:
                self._last_error = self._log.last_words(await self._run_once())
            except OSError as error:  # no program, no folder for its log, no memory for a process
                self._last_error = str(error)
            self.ready.clear()
            self._failures += 1
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

    async def _run_once(self) -> int:
        with self._log.open() as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LONGEST_LINE,
            )
        with suppress(psutil.NoSuchProcess):
            created = psutil.Process(self._process.pid).create_time()
            self.record = ProcessRecord(name=self.name, pid=self._process.pid, created=created)
        self._enter(PartState.STARTING)
        watching = asyncio.create_task(self._watch(self._process))
        try:
            return await self._process.wait()
        finally:
            watching.cancel()
            await asyncio.wait({watching})

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
