"""An agent with workers of its own, and the client that starts its workflows.

    async with env.running(AGENT, script) as agent:
        assert await agent.execute(TripWorkflow.run, "Oslo") == "Take a coat."

A script that was not used up and a history that does not replay fail the block.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.exceptions import ActivityError, ChildWorkflowError

from durable_loop.testing.crash import CrashPoint, CrashPoints
from durable_loop.testing.errors import HarnessError, StuckWorkflowError
from durable_loop.testing.histories import RecordedHistory, fetch_runs
from durable_loop.testing.processes import MortalProcess
from durable_loop.testing.stuck import waits_for

__all__ = ["RunningAgent", "StartedWorkflows"]

# How long a workflow of a test may take; most take less than a second.
PATIENCE: Final = timedelta(seconds=60)


class StartedWorkflows(Interceptor):
    """The ids of the workflows that a client has started, in order."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's signature
        """Note every start."""
        return _Noting(next, self.ids)


class RunningAgent:
    """Workers of one agent on a task queue that nobody else uses; `Environment.running` runs them."""

    def __init__(
        self,
        client: Client,
        task_queue: str,
        started: StartedWorkflows,
        *,
        processes: Sequence[MortalProcess] = (),
        crash_points: CrashPoints | None = None,
    ) -> None:
        self.client = client
        self.task_queue = task_queue
        self.processes = processes
        self._started = started
        self._crash_points = crash_points

    async def start(self, workflow: Any, *args: Any, workflow_id: str | None = None) -> WorkflowHandle[Any, Any]:
        """Start a workflow, by its class's `run` or its name; `client.start_workflow` knows more ways."""
        return await self.client.start_workflow(
            workflow, args=args, id=workflow_id or f"workflow-{uuid4().hex[:12]}", task_queue=self.task_queue
        )

    async def execute(
        self, workflow: Any, *args: Any, workflow_id: str | None = None, patience: timedelta = PATIENCE
    ) -> Any:
        """Start a workflow and return its result.

        Raises:
            StuckWorkflowError: it has none by then; says what it waits for.
            WorkflowFailureError: it failed; its words are those of the cause.
        """
        handle = await self.start(workflow, *args, workflow_id=workflow_id)
        try:
            return await asyncio.wait_for(handle.result(), patience.total_seconds())
        except TimeoutError:
            raise StuckWorkflowError(workflow=handle.id, waits_for=await waits_for(handle)) from None
        except WorkflowFailureError as error:
            # Of a failed test pytest's last lines have this alone, and the SDK's own says that a workflow failed.
            error.args = (_sentence(error.cause),)
            raise

    @property
    def started(self) -> int:
        """How many workflows were started here."""
        return len(self._started.ids)

    async def histories(self, *, after: int = 0) -> list[RecordedHistory]:
        """Return what happened: every run of every workflow that was started here, in order, but for the first ones.

        A run is followed by those of the child workflows that it started.
        """
        ids = dict.fromkeys(self._started.ids[after:])
        return [run for id_ in ids for run in await self._with_children(id_)]

    async def _with_children(self, workflow_id: str) -> list[RecordedHistory]:
        found: list[RecordedHistory] = []
        for run in await fetch_runs(self.client, workflow_id):
            found.append(run)
            for child in run.children:
                found += await self._with_children(child)
        return found

    async def history(self) -> RecordedHistory:
        """Return the newest run of the workflow that was started last.

        Raises:
            HarnessError: none was started.
        """
        if not self.started:
            raise HarnessError("No workflow was started with this agent's client: there is no history yet.")
        return (await fetch_runs(self.client, self._started.ids[-1]))[-1]

    @property
    def crash_points(self) -> CrashPoints:
        """The places at which its worker processes can be stopped.

        Raises:
            HarnessError: its worker runs in this process.
        """
        if self._crash_points is None:
            raise HarnessError("Only a worker process can be killed: run the agent with WorkerPlace.SUBPROCESS.")
        return self._crash_points

    async def heal(self) -> None:
        """Start again whatever worker is dead, and let go on whatever is stopped.

        Raises:
            ProcessNotReadyError: one did not start.
        """
        for process in self.processes:
            process.go_on()
        await asyncio.gather(*(process.start() for process in self.processes))

    async def kill_at(self, point: CrashPoint) -> MortalProcess:
        """Wait until a worker stops at a place that was armed, and kill it there.

        Raises:
            TimeoutError: none came there.
        """
        stopped = await self.crash_points.reached(point)
        process = next(process for process in self.processes if process.pid == stopped.pid)
        await process.kill()
        return process


def _sentence(cause: BaseException) -> str:
    """Return what went wrong, and not that an activity or a child failed by it."""
    while isinstance(cause, ActivityError | ChildWorkflowError) and cause.cause is not None:
        cause = cause.cause
    return str(cause)


@asynccontextmanager
async def worker_processes(processes: Sequence[MortalProcess]) -> AsyncGenerator[None]:
    """Run them during the block; none is left after it.

    Raises:
        ProcessNotReadyError: one did not start.
    """
    try:
        await asyncio.gather(*(process.start() for process in processes))
        yield
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


class _Noting(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, ids: list[str]) -> None:  # noqa: A002 - the SDK's signature
        super().__init__(next)
        self._ids = ids

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's signature
        self._ids.append(input.id)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,  # noqa: A002 - the SDK's signature
    ) -> WorkflowUpdateHandle[Any]:
        self._ids.append(input.start_workflow_input.id)
        return await super().start_update_with_start_workflow(input)
