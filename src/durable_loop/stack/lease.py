"""The client's side: join the stack of a data folder, starting it where there is none."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import filelock
from pydantic import SecretStr

from durable_loop.bootstrap.client import chat_namespace, configured_address, connect, ensure_namespaces
from durable_loop.errors import StackError
from durable_loop.settings import Settings
from durable_loop.stack import ports
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.leftovers import end_leftovers, leftovers
from durable_loop.stack.log import Log
from durable_loop.stack.messages import Operation, PartStatus, Request, StackState, StackStatus
from durable_loop.stack.part import python_module

__all__ = ["Lease", "check_temporal", "end_stack", "is_left_over", "join_stack", "keep_stack", "running_stack"]

T = TypeVar("T")

JOIN_TIMEOUT = 30.0
JOIN_INTERVAL = 0.05
CALL_TIMEOUT = 5.0
# A part that died this often without ever being ready will not come up by itself.
HOPELESS_FAILURES = 3
OTHERWISE = "End that stack (durable-loop down), or give this one a folder of its own (DURABLE_LOOP_DATA_DIR)."
ENDED = "The stack was ended (durable-loop down). The chat stays; start again to go on."


class Lease:
    """A hold on the stack. While it lives, the stack lives; should the stack die, it is started again."""

    def __init__(self, settings: Settings) -> None:
        self._folder = StackFolder(settings.data_dir)
        self._watchers: list[Callable[[StackStatus], None]] = []
        self._joined = asyncio.Event()
        self._state: StackState | None = None
        self.status = StackStatus()
        # Ends only with an error: someone ended the stack, or it cannot be started again.
        self.holding = asyncio.create_task(self._hold())

    @property
    def addresses(self) -> StackState:
        """Where the parts are."""
        if self._state is None:
            raise StackError("The stack was not joined.")
        return self._state

    def watch(self, watcher: Callable[[StackStatus], None]) -> None:
        """Call `watcher` now and at every change of the stack."""
        self._watchers.append(watcher)
        watcher(self.status)

    async def wait_until_joined(self) -> None:
        """Return when the stack has been joined.

        Raises:
            StackError: it cannot be.
        """
        await self.unless_over(asyncio.create_task(self._joined.wait()))

    async def wait_until_ready(self, *, only: Collection[str] = ()) -> None:
        """Return when every part can be used, or only those that are named.

        Raises:
            StackError: a part does not come up; says which, why, and where its log is.
        """
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def look(status: StackStatus) -> None:
            if settled.done():
                return
            parts = tuple(part for part in status.parts if not only or part.name in only)
            hopeless = [part for part in parts if part.failures >= HOPELESS_FAILURES]
            if hopeless:
                settled.set_exception(StackError(_explain(hopeless[0])))
            elif StackStatus(parts=parts).ready:
                settled.set_result(None)

        self.watch(look)
        try:
            await self.unless_over(settled)
        finally:
            self._watchers.remove(look)

    async def unless_over(self, awaited: asyncio.Future[T]) -> T:
        """Return what is awaited.

        Raises:
            StackError: the stack was ended meanwhile, or died and cannot be started again.
        """
        try:
            await asyncio.wait({awaited, self.holding}, return_when=asyncio.FIRST_COMPLETED)
            if not awaited.done():
                self.holding.result()
            return awaited.result()
        finally:
            awaited.cancel()

    async def _hold(self) -> NoReturn:
        """Keep the connection; join again when the supervisor dies."""
        while True:
            connection = await self._join()
            self._state = connection.state
            self._see(connection.status)
            self._joined.set()
            with closing(connection.writer), suppress(ConnectionError):
                while line := await connection.reader.readline():
                    self._see(StackStatus.model_validate_json(line))
            if self.status.stopping:
                raise StackError(self.status.failure or ENDED)

    def _see(self, status: StackStatus) -> None:
        self.status = status
        for watcher in list(self._watchers):
            watcher(status)

    async def _join(self) -> "_Connection":
        supervisor: subprocess.Popen[bytes] | None = None
        log = Log(self._folder.log("supervisor"))
        deadline = asyncio.get_running_loop().time() + JOIN_TIMEOUT
        while asyncio.get_running_loop().time() < deadline:
            found = await _call(self._folder, Operation.JOIN)
            if found is not None:
                return found
            if supervisor is not None and supervisor.poll():
                raise StackError(log.last_words(supervisor.returncode))
            if supervisor is None or supervisor.returncode == 0:
                try:
                    supervisor = _start_supervisor(log) if _nobody_holds(self._folder) else None
                except OSError as error:
                    raise StackError(f"The stack cannot be started: {error}.") from error
            await asyncio.sleep(JOIN_INTERVAL)
        raise StackError(f"The stack did not start within {JOIN_TIMEOUT:g} s: see {log.path}.")


@asynccontextmanager
async def join_stack(settings: Settings) -> AsyncGenerator[Lease]:
    """Hold the stack of the data folder while the block runs; start it where there is none.

    Raises:
        StackError: it cannot be started, or it runs with a Temporal that is not the one named here.
        TemporalUnreachableError: the Temporal that is named here does not answer; nothing was started.
        NamespaceMissingError: it has not the namespaces and does not let us create them; nothing was started.
    """
    StackFolder(settings.data_dir).create()
    if configured_address() is not None:
        await ensure_namespaces(await connect(), retention=settings.namespace_retention)
    lease = Lease(settings)
    try:
        await lease.wait_until_joined()
        check_temporal(lease.addresses)
        yield lease
    finally:
        lease.holding.cancel()
        await asyncio.wait({lease.holding})


async def keep_stack(settings: Settings) -> None:
    """Have the running stack stay when no client is left."""
    found = await _call(StackFolder(settings.data_dir), Operation.KEEP)
    if found is None:
        raise StackError("The stack ended before it could be kept.")
    found.writer.close()


async def end_stack(settings: Settings) -> bool:
    """End the stack and return when it is gone; False where there was none."""
    folder = StackFolder(settings.data_dir)
    if not folder.lock.exists():
        return False
    found = await _call(folder, Operation.DOWN)
    if found is not None:
        found.writer.close()
    # Gone when its lock is free; whoever takes the lock cleans up what a supervisor that died left over.
    try:
        async with filelock.AsyncFileLock(folder.lock, timeout=JOIN_TIMEOUT):
            left_over = StackState.read(folder.state)
            if left_over is not None:
                end_leftovers(left_over.processes)
                folder.state.unlink()
    except filelock.Timeout as error:
        raise StackError(f"The stack did not end within {JOIN_TIMEOUT:g} s: see {folder.log('supervisor')}.") from error
    return found is not None or left_over is not None


async def running_stack(settings: Settings) -> tuple[StackState, StackStatus] | None:
    """Return where the running stack's parts are and how they are, or None when none runs."""
    found = await _call(StackFolder(settings.data_dir), Operation.LOOK)
    if found is None:
        return None
    found.writer.close()
    return found.state, found.status


def is_left_over(settings: Settings) -> bool:
    """Whether parts run of a stack whose supervisor died; asked where no stack runs."""
    state = StackState.read(StackFolder(settings.data_dir).state)
    return state is not None and bool(leftovers(state.processes))


@dataclass(frozen=True)
class _Connection:
    state: StackState
    status: StackStatus
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def _call(folder: StackFolder, operation: Operation) -> _Connection | None:
    """Say what is wanted to the supervisor; None where there is none, or one that is ending."""
    state = StackState.read(folder.state)
    if state is None:
        return None
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(CALL_TIMEOUT):
            reader, writer = await asyncio.open_connection(ports.HOST, state.control_port)
            request = Request(token=SecretStr(state.token), operation=operation)
            writer.write(request.model_dump_json().encode() + b"\n")
            status = StackStatus.model_validate_json(await reader.readline())
    except (OSError, ValueError):  # nobody, or somebody else on that port by now
        if writer is not None:
            writer.close()
        return None
    return _Connection(state, status, reader, writer)


def check_temporal(state: StackState) -> None:
    """Never chat on another Temporal than the one that is named here.

    Raises:
        StackError: the stack that runs has another one.
    """
    address, namespace = configured_address(), chat_namespace()
    if address != (None if state.own_server else state.temporal_address):
        theirs = "a server of its own" if state.own_server else state.temporal_address
        raise StackError(
            f"TEMPORAL_ADDRESS is {address or 'not set'}, but the stack that runs here has {theirs}.\n{OTHERWISE}"
        )
    if namespace != state.namespace:
        raise StackError(
            f"TEMPORAL_NAMESPACE is {namespace}, but the stack that runs here has {state.namespace}.\n{OTHERWISE}"
        )


def _nobody_holds(folder: StackFolder) -> bool:
    try:
        with filelock.FileLock(folder.lock, blocking=False):
            return True
    except filelock.Timeout:
        return False


def _start_supervisor(log: Log) -> subprocess.Popen[bytes]:
    with log.open() as stderr:
        return subprocess.Popen(  # noqa: S603 - our own command
            python_module("durable_loop.stack.supervisor"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            # A process group of its own: a Ctrl-C in the terminal is for the client.
            start_new_session=True,
        )


def _explain(part: PartStatus) -> str:
    return f"{part.name} does not start: {part.last_error}\nIts log: {part.log}"
