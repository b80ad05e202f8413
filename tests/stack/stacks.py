"""A stack of its own for a test: its folder, its environment, its processes, and the proof that it is gone."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import psutil

from durable_loop.settings import Settings
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.messages import StackState
from tests.e2e.commands import PROGRAM
from tests.e2e.terminal import ROOT, Terminal
from tests.e2e.waiting import eventually

OURS = ("DURABLE_LOOP_", "TEMPORAL_", "LLM_MODEL", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_")
GONE_TIMEOUT = 40.0
# Any that is free, so that stacks run side by side and a test finds no other one's.
ANY_PORTS = {
    "DURABLE_LOOP_TEMPORAL_PORT": "0",
    "DURABLE_LOOP_FINANCE_MCP_URL": "http://127.0.0.1:0/mcp",
    "DURABLE_LOOP_IT_MCP_URL": "http://127.0.0.1:0/mcp",
}


@dataclass
class TestStack:
    """The stack of one data folder."""

    __test__ = False  # pytest: not a test class

    folder: StackFolder
    environment: dict[str, str]
    seen: dict[int, psutil.Process] = field(default_factory=dict[int, psutil.Process])

    @property
    def settings(self) -> Settings:
        """The settings of this test's process, for this stack."""
        return Settings(data_dir=self.folder.root)

    @property
    def state(self) -> StackState:
        """The state file; fails where there is none."""
        state = StackState.read(self.folder.state)
        assert state is not None, "no stack runs"
        for record in state.processes:
            with suppress(psutil.NoSuchProcess):
                process = self.seen.setdefault(record.pid, psutil.Process(record.pid))
                for parent in process.parents()[:1]:
                    if "durable_loop.stack.supervisor" in parent.cmdline():
                        self.seen.setdefault(parent.pid, parent)
        return state

    @property
    def supervisor(self) -> psutil.Process:
        """The supervisor's process."""
        _ = self.state
        (found,) = (
            process
            for process in self.seen.values()
            if process.is_running() and "durable_loop.stack.supervisor" in process.cmdline()
        )
        return found

    def part(self, name: str) -> psutil.Process:
        """Return the process of a part as it is now."""
        (pid,) = (record.pid for record in self.state.processes if record.name == name)
        return psutil.Process(pid)

    def client(self, *arguments: str, **environment: str) -> AbstractAsyncContextManager[Terminal]:
        """Run the terminal chat on this stack."""
        return Terminal.running("client.py", *arguments, environment={**self.environment, **environment})

    async def run(self, *arguments: str, typed: str = "", cwd: Path = ROOT, **environment: str) -> tuple[int, str, str]:
        """Run `python ARGUMENTS` with piped input; return exit code, output and errors."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=cwd,
            env={**self.environment, **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(typed.encode())
        return process.returncode or 0, output.decode(), errors.decode()

    async def command(self, *arguments: str, cwd: Path = ROOT, **environment: str) -> tuple[int, str, str]:
        """Run `durable-loop ARGUMENTS`."""
        return await self.run(*PROGRAM, *arguments, cwd=cwd, **environment)

    async def gone(self) -> None:
        """Return when nothing of the stack is left: no lock, no process, no state.

        Raises:
            AssertionError: something is.
        """
        with suppress(AssertionError):
            _ = self.state  # remembers the processes
        async with filelock.AsyncFileLock(self.folder.lock, timeout=GONE_TIMEOUT):
            pass
        await eventually(self._all_ended)
        assert not self.folder.state.exists()

    async def _all_ended(self) -> bool:
        return not any(_lives(process) for process in self.seen.values())

    def end(self) -> None:
        """Kill whatever a test that failed left running."""
        with suppress(AssertionError):
            _ = self.state
        for process in self.seen.values():
            with suppress(psutil.NoSuchProcess):
                process.kill()


@asynccontextmanager
async def a_stack(root: Path, environment: Mapping[str, str] | None = None) -> AsyncGenerator[TestStack]:
    """Give a test a stack that is not started yet; whatever happens, none of its processes survives the block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    of_its_own = {**ANY_PORTS, "DURABLE_LOOP_DATA_DIR": str(root)}
    stack = TestStack(StackFolder(root), {**inherited, **of_its_own, **(environment or {})})
    try:
        yield stack
    finally:
        stack.end()


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
