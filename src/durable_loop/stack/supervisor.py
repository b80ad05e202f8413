"""Starts the parts, restarts them, ends with its last client: `python -m durable_loop.stack.supervisor`.

Its life is the life of the lock file: whoever holds the lock is the stack of that data folder.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence

import filelock
from temporalio.client import Client

from durable_loop.bootstrap.client import chat_namespace, ensure_namespaces, until_it_answers
from durable_loop.bootstrap.process import main, until_signalled
from durable_loop.errors import SetupError, TemporalUnreachableError
from durable_loop.settings import Settings
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.leases import Leases
from durable_loop.stack.leftovers import end_leftovers
from durable_loop.stack.log import Log
from durable_loop.stack.messages import StackState, StackStatus
from durable_loop.stack.part import Part
from durable_loop.stack.plan import StackPlan, make_plan
from durable_loop.stack.ports import Ports

logger = logging.getLogger(__name__)

PROBE_INTERVAL = 0.1
# Beyond the workers' own graceful shutdown.
KILL_AFTER = 3.0


class Supervisor:
    """One stack from start to end."""

    def __init__(self, settings: Settings, folder: StackFolder, plan: StackPlan, *, kept: bool) -> None:
        self._settings = settings
        self._folder = folder
        self._plan = plan
        self._stopping = False
        self._failure = ""
        self._leases = Leases(secrets.token_urlsafe(), kept=kept, status=self._status, changed=self._changed)
        self._port = 0
        self._server = self._part(plan.server.name, plan.server.command) if plan.server else None
        self._parts = [self._part(part.name, part.command) for part in plan.parts]

    async def run(self) -> None:
        """Run until the last client left, someone ended the stack, or a signal came."""
        self._port = await self._leases.open()
        self._changed()
        running = asyncio.create_task(self._run_parts())
        ends = [asyncio.create_task(waiting) for waiting in (self._leases.over.wait(), until_signalled())]
        try:
            done, _ = await asyncio.wait({running, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if running in done:
                self._failure = self._explain(running.exception())
                running.result()
        finally:
            self._stopping = True
            self._leases.refuse()
            self._leases.tell()
            for task in (running, *ends):
                task.cancel()
            await asyncio.wait({running, *ends})
            await self._stop_parts()
            self._folder.state.unlink(missing_ok=True)
            self._leases.close()

    def _part(self, name: str, command: tuple[str, ...]) -> Part:
        return Part(
            name,
            command,
            environment=self._plan.environment,
            log=Log(self._folder.log(name)),
            changed=self._changed,
            probe=self._until_it_answers if self._plan.server and name == self._plan.server.name else None,
        )

    async def _run_parts(self) -> None:
        """Run until cancelled.

        Raises:
            SetupError: Temporal cannot be used as it is.
        """
        try:
            async with asyncio.TaskGroup() as parts:
                if self._server is not None:
                    parts.create_task(self._server.keep_running())
                    await self._server.ready.wait()
                await self._prepare()
                for part in self._parts:
                    parts.create_task(part.keep_running())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _stop_parts(self) -> None:
        grace = self._settings.graceful_shutdown.total_seconds() + KILL_AFTER
        # The server last: the workers hand over their work to it.
        await asyncio.gather(*(part.stop(grace=grace) for part in self._parts))
        if self._server is not None:
            await self._server.stop(grace=grace)

    async def _prepare(self) -> None:
        """Have the namespaces there."""
        while True:
            client = await self._until_it_answers()
            try:
                return await ensure_namespaces(
                    client, retention=self._settings.namespace_retention, own_server=self._server is not None
                )
            except TemporalUnreachableError as error:
                logger.info("Temporal went away again: %s", error)
                await asyncio.sleep(PROBE_INTERVAL)

    async def _until_it_answers(self) -> Client:
        return await until_it_answers(self._plan.temporal_address)

    def _status(self) -> StackStatus:
        return StackStatus(
            parts=tuple(part.status for part in self._all()),
            notes=self._plan.notes,
            kept=self._leases.kept,
            stopping=self._stopping,
            failure=self._failure,
        )

    def _changed(self) -> None:
        state = StackState(
            control_port=self._port,
            token=self._leases.token,
            temporal_address=self._plan.temporal_address,
            temporal_ui_url=self._plan.temporal_ui_url,
            own_server=self._server is not None,
            namespace=chat_namespace(),
            finance_mcp_url=self._plan.finance_mcp_url,
            it_mcp_url=self._plan.it_mcp_url,
            kept=self._leases.kept,
            processes=tuple(part.record for part in self._all() if part.record is not None),
        )
        try:
            state.write(self._folder.state)
        except OSError as error:  # a full disk, a folder that was taken away: those who have joined can go on
            logger.warning("The state file cannot be written: %s", error)
        self._leases.tell()

    def _explain(self, error: BaseException | None) -> str:
        return (
            str(error) if isinstance(error, SetupError) else f"The stack failed: see {self._folder.log('supervisor')}."
        )

    def _all(self) -> Sequence[Part]:
        return [self._server, *self._parts] if self._server is not None else self._parts


async def run(settings: Settings) -> None:
    """Be the stack of the data folder; return at once where there is one already."""
    folder = StackFolder(settings.data_dir)
    folder.create()
    lock = filelock.FileLock(folder.lock, blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        logger.info("Another supervisor holds %s", folder.lock)
        return
    with lock, Ports() as ports:
        previous = StackState.read(folder.state)
        if previous is not None:
            end_leftovers(previous.processes)
        plan = make_plan(settings, folder, previous, choose=ports.choose)
        # What `up` asked for holds until `down`, also when the supervisor was killed in between.
        await Supervisor(settings, folder, plan, kept=previous is not None and previous.kept).run()


if __name__ == "__main__":
    main(run)
