"""A program in a real pseudo-terminal, as a person sees it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Self

import pexpect
import psutil
import pyte
from pyte.screens import Char

from durable_loop.testing import Agent, Environment
from durable_loop.testing.processes import variables

ROOT = Path(__file__).parents[2]
COLUMNS, ROWS = 100, 120
TIMEOUT = 60.0


def environment_of(env: Environment, agent: Agent) -> dict[str, str]:
    """Return the environment of a program that talks to this agent."""
    return {**os.environ, **variables(agent.settings), "TEMPORAL_ADDRESS": env.address}


class Terminal:
    """The screen of a program that runs, and its keyboard."""

    def __init__(self, child: "pexpect.spawn[bytes]", *, columns: int, rows: int) -> None:
        self._child = child
        # Everything that the program ever wrote.
        self.written = b""
        self._screen = pyte.Screen(columns, rows)
        self._screen.write_process_input = self._answer
        self._stream = pyte.ByteStream(self._screen)
        self._changed = asyncio.Event()
        self._closed = False
        asyncio.get_running_loop().add_reader(child.child_fd, self._read)

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        *arguments: str,
        environment: Mapping[str, str],
        columns: int = COLUMNS,
        rows: int = ROWS,
        term: str = "xterm",
        tells_cursor: bool = False,
    ) -> AsyncGenerator[Self]:
        """Run `python ARGUMENTS` in a terminal; kill it after the block if it still runs.

        A terminal that tells where its cursor is has a toolbar.
        """
        child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable,
            list(arguments),
            cwd=str(ROOT),
            env={**_without_size(environment), "TERM": term, "PROMPT_TOOLKIT_NO_CPR": "" if tells_cursor else "1"},
            dimensions=(rows, columns),
            timeout=None,
        )
        terminal = cls(child, columns=columns, rows=rows)
        try:
            yield terminal
        finally:
            terminal.close()

    @classmethod
    def talking_to(
        cls,
        env: Environment,
        agent: Agent,
        *arguments: str,
        columns: int = COLUMNS,
        rows: int = ROWS,
        term: str = "xterm",
        tells_cursor: bool = False,
        **variables: str,
    ) -> AbstractAsyncContextManager[Self]:
        """Run the chat in a terminal, with the workers of `agent`."""
        environment = {**environment_of(env, agent), **variables}
        return cls.running(
            *("client.py", "--no-stack", *arguments),
            environment=environment,
            columns=columns,
            rows=rows,
            term=term,
            tells_cursor=tells_cursor,
        )

    @property
    def pid(self) -> int:
        """The program's process id."""
        assert self._child.pid is not None
        return self._child.pid

    @property
    def text(self) -> str:
        """What the screen shows, without the blanks that fill it."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def rows(self) -> list[list[Char]]:
        """Return what the screen shows, cell by cell, down to the last line that has something."""
        rows = [
            [self._screen.buffer[row][column] for column in range(self._screen.columns)]
            for row in range(self._screen.lines)
        ]
        while rows and not "".join(char.data for char in rows[-1]).strip():
            rows.pop()
        return rows

    def type(self, keys: str) -> None:
        """Type keys as they are."""
        os.write(self._child.child_fd, keys.encode())

    def say(self, line: str) -> None:
        """Type a line and Enter."""
        self.type(f"{line}\r")

    async def shows(self, text: str | re.Pattern[str], *, times: int = 1) -> None:
        """Return when the screen shows `text`, or what matches (so many times).

        Raises:
            AssertionError: it never did; shows the screen.
        """
        pattern = re.compile(re.escape(text)) if isinstance(text, str) else text
        try:
            async with asyncio.timeout(TIMEOUT):
                while len(pattern.findall(self.text)) < times:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"The screen never showed {text!r}:\n{self.text}") from None

    async def ended(self) -> int:
        """Return the exit code when the program has ended: minus the signal's number if one killed it."""
        async with asyncio.timeout(TIMEOUT):
            while not self._closed:
                self._changed.clear()
                await self._changed.wait()
            await asyncio.to_thread(self._child.wait)
        return self._child.exitstatus if self._child.exitstatus is not None else -(self._child.signalstatus or 0)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)  # pyright: ignore[reportUnknownMemberType] - untyped

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        os.kill(self.pid, number)

    def close(self) -> None:
        """Kill the program if it still runs, and let the terminal go."""
        self._stop_reading()
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._child.close(force=True)

    def _answer(self, data: str) -> None:
        """Say where the cursor is."""
        self.type(data)

    def _read(self) -> None:
        try:
            data = os.read(self._child.child_fd, 65536)
        except OSError:  # a terminal whose program has ended
            data = b""
        if data:
            self.written += data
            self._stream.feed(data)
        else:
            self._stop_reading()
        self._changed.set()

    def _stop_reading(self) -> None:
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().remove_reader(self._child.child_fd)


def _without_size(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would be believed before the terminal is asked."""
    return {name: value for name, value in environment.items() if name not in {"COLUMNS", "LINES"}}
