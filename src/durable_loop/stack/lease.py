"""The client's side: join the stack of a data folder, starting it where there is none."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import filelock
from pydantic import SecretStr

from durable_loop.errors import StackError
from durable_loop.settings import Settings
from durable_loop.stack import ports
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.messages import Operation, PartStatus, Request, StackState, StackStatus
from durable_loop.stack.part import python_module

__all__ = ["Lease", "end_stack", "join_stack", "keep_stack", "running_stack"]

JOIN_TIMEOUT = 30.0
JOIN_INTERVAL = 0.05
# A part that died this often without ever being ready will not come up by itself.
HOPELESS_FAILURES = 3


class Lease:
    """A hold on the stack. While it lives, the stack lives; should the stack die, it is started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = StackFolder(settings.data_dir)
        self._watchers: list[Callable[[StackStatus], None]] = []
        self.status = StackStatus()
        self.state: StackState | None = None

    @property
    def addresses(self) -> StackState:
        """Where the parts are."""
        if self.state is None:
            raise StackError("The stack was not joined.")
        return self.state

    def watch(self, watcher: Callable[[StackStatus], None]) -> None:
        """Call `watcher` at every change of the stack."""
        self._watchers.append(watcher)
        watcher(self.status)

    async def wait_until_ready(self) -> None:
        """Return when every part can be used.

        Raises:
            StackError: a part does not come up; says which, why, and where its log is.
        """
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def look(status: StackStatus) -> None:
            if settled.done():
                return
            hopeless = [part for part in status.parts if part.failures >= HOPELESS_FAILURES]
            if hopeless:
                settled.set_exception(StackError(_explain(hopeless[0])))
            elif status.ready:
                settled.set_result(None)

        self.watch(look)
        try:
            await settled
        finally:
            self._watchers.remove(look)

    async def hold(self, operation: Operation, joined: asyncio.Event) -> None:
        """Keep the connection; join again when the supervisor dies."""
        while True:
            self.state, reader, writer = await self._connect(operation)
            try:
                while line := await reader.readline():
                    self.status = StackStatus.model_validate_json(line)
                    joined.set()
                    for watcher in list(self._watchers):
                        watcher(self.status)
            except ConnectionError:
                pass
            finally:
                writer.close()

    async def _connect(self, operation: Operation) -> tuple[StackState, asyncio.StreamReader, asyncio.StreamWriter]:
        supervisor: subprocess.Popen[bytes] | None = None
        deadline = asyncio.get_running_loop().time() + JOIN_TIMEOUT
        while asyncio.get_running_loop().time() < deadline:
            found = await _call(self._folder, operation)
            if found is not None:
                return found
            if supervisor is None or supervisor.poll() is not None:
                if supervisor is not None and supervisor.returncode:
                    raise StackError(_end_of(self._folder))
                supervisor = _start_supervisor(self._folder)
            await asyncio.sleep(JOIN_INTERVAL)
        raise StackError(f"The stack did not start within {JOIN_TIMEOUT:g} s: see {self._folder.log('supervisor')}.")


@asynccontextmanager
async def join_stack(settings: Settings) -> AsyncGenerator[Lease]:
    """Hold the stack of the data folder while the block runs; start it where there is none.

    Raises:
        StackError: it cannot be started.
    """
    StackFolder(settings.data_dir).create()
    lease = Lease(settings)
    joined = asyncio.Event()
    holding = asyncio.create_task(lease.hold(Operation.JOIN, joined))
    waiting = asyncio.create_task(joined.wait())
    try:
        await asyncio.wait({holding, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if holding.done():
            holding.result()
        yield lease
    finally:
        for task in (holding, waiting):
            task.cancel()
            with suppress(asyncio.CancelledError, StackError):
                await task


async def keep_stack(settings: Settings) -> None:
    """Have the running stack stay when no client is left."""
    found = await _call(StackFolder(settings.data_dir), Operation.KEEP)
    if found is None:
        raise StackError("There is no stack to keep.")
    _, reader, writer = found
    await reader.readline()
    writer.close()


async def end_stack(settings: Settings) -> bool:
    """End the stack and return when it is gone; False where there was none."""
    folder = StackFolder(settings.data_dir)
    found = await _call(folder, Operation.DOWN)
    if found is None:
        return False
    _, reader, writer = found
    while await reader.read(1024):
        pass
    writer.close()
    lock = filelock.AsyncFileLock(folder.lock, timeout=JOIN_TIMEOUT)
    async with lock:
        return True


async def running_stack(settings: Settings) -> StackState | None:
    """Return where the running stack's parts are, or None when none runs."""
    found = await _call(StackFolder(settings.data_dir), Operation.LOOK)
    if found is None:
        return None
    state, _, writer = found
    writer.close()
    return state


async def _call(
    folder: StackFolder, operation: Operation
) -> tuple[StackState, asyncio.StreamReader, asyncio.StreamWriter] | None:
    state = StackState.read(folder.state)
    if state is None:
        return None
    try:
        reader, writer = await asyncio.open_connection(ports.HOST, state.control_port)
    except OSError:
        return None
    request = Request(token=SecretStr(state.token), operation=operation)
    writer.write(request.model_dump_json().encode() + b"\n")
    return state, reader, writer


def _start_supervisor(folder: StackFolder) -> subprocess.Popen[bytes]:
    with folder.log("supervisor").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own command
            python_module("durable_loop.stack.supervisor"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            # A process group of its own: a Ctrl-C in the terminal is for the client.
            start_new_session=True,
        )


def _explain(part: PartStatus) -> str:
    return f"{part.name} does not start ({part.last_error}).\nIts log: {part.log}"


def _end_of(folder: StackFolder) -> str:
    lines = folder.log("supervisor").read_text(errors="replace").splitlines()
    return lines[-1] if lines else "The supervisor ended without a word."
