"""What is open moves to a new build: woken by a signal, a chat or an IT session continues as new on it.

For that its old workers must still be there, as they must for a tool call to end. What they have left behind is put
on the new build by an override: the new build replays it.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import OneTimeVersioningOverride, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names

__all__ = ["HandedOver", "hand_over"]

PATIENCE: Final = timedelta(seconds=30)
# A workflow that has just begun is listed about a second later.
INTERVAL: Final = timedelta(seconds=1)
EMPTY_LOOKS: Final = 2
# From when it is first seen on. No more than these: every signal stays in its history.
WAKE_AFTER: Final = (timedelta(0), timedelta(seconds=2), timedelta(seconds=10))


@dataclass(frozen=True)
class HandedOver:
    """What became of the open workflows that were on another build; one that ended meanwhile is in none of these.

    `moved` is how many are on the new build. Those `at_work` have something to end first: a turn, or the call of a
    tool. The `unanswered` wait for a worker: the old ones are gone, or the new build cannot replay what was put on it.
    """

    moved: int
    at_work: tuple[str, ...]
    unanswered: tuple[str, ...]


async def hand_over(
    client: Client,
    version: WorkerDeploymentVersion,
    *,
    old_workers_gone: bool = False,
    patience: timedelta = PATIENCE,
) -> HandedOver:
    """Wake every open workflow of the namespace that is on another version, and wait until it has moved or ended.

    This returns when two looks in a row find none, or when nothing has moved or ended for as long as `patience`.

    Raises:
        RPCError: Temporal does not answer, or refuses.
    """
    clock = asyncio.get_running_loop().time
    elsewhere = _OpenElsewhere(client, version, override=old_workers_gone)
    progress_at, empty_looks = clock(), 0
    while True:
        if await elsewhere.look():
            progress_at = clock()
        empty_looks = 0 if elsewhere.left else empty_looks + 1
        impatient = clock() - progress_at > patience.total_seconds()
        if empty_looks == EMPTY_LOOKS or (elsewhere.left and impatient):
            return elsewhere.result()
        await asyncio.sleep(INTERVAL.total_seconds())


@dataclass
class _Left:
    """An open workflow that has not moved."""

    seen_at: float
    woken: int = 0
    answers: bool = True


class _OpenElsewhere:
    """The open workflows that are on another version of a deployment, look by look."""

    def __init__(self, client: Client, version: WorkerDeploymentVersion, *, override: bool) -> None:
        self.left: dict[str, _Left] = {}
        self._moved = 0
        self._there: set[str] = set()
        self._client = client
        self._version = version
        self._override = override
        # One of no deployment was begun by workers that upgrade in place. Which version one is on, the list does not
        # tell: that of an override stands there before a worker has taken it.
        self._query = f"ExecutionStatus = 'Running' AND TemporalWorkerDeployment = '{version.deployment_name}'"

    async def look(self) -> bool:
        """Wake what is due; return whether anything was found, has moved or has ended since the last look."""
        listed = [execution.id async for execution in self._client.list_workflows(self._query)]
        changed = False
        for workflow_id in dict.fromkeys([*self.left, *listed]):
            if workflow_id in self._there:
                continue
            # The list lags behind.
            described = await self._described(workflow_id)
            if described is not None and self._is_elsewhere(described):
                changed |= workflow_id not in self.left
                await self._wake(workflow_id, described)
                continue
            if self.left.pop(workflow_id, None) is not None:
                changed = True
                self._moved += described is not None
            if described is not None and _version_of(described) == self._version:
                self._there.add(workflow_id)
        return changed

    def result(self) -> HandedOver:
        """Return what has become of them so far."""
        return HandedOver(
            moved=self._moved,
            at_work=tuple(workflow_id for workflow_id, left in self.left.items() if left.answers),
            unanswered=tuple(workflow_id for workflow_id, left in self.left.items() if not left.answers),
        )

    async def _described(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        """Return the workflow as it is; None where it is not open any more."""
        try:
            described = await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return described if described.status is WorkflowExecutionStatus.RUNNING else None

    def _is_elsewhere(self, described: WorkflowExecutionDescription) -> bool:
        on = _version_of(described)
        return on.deployment_name == self._version.deployment_name and on != self._version

    async def _wake(self, workflow_id: str, described: WorkflowExecutionDescription) -> None:
        now = asyncio.get_running_loop().time()
        left = self.left.setdefault(workflow_id, _Left(seen_at=now))
        # A worker that answers takes the task that the signal makes; what knows no such signal ignores it.
        left.answers = not described.raw_description.HasField("pending_workflow_task")
        if left.woken == len(WAKE_AFTER) or now - left.seen_at < WAKE_AFTER[left.woken].total_seconds():
            return
        try:
            if self._override and not left.woken:
                await self._put_on_version(workflow_id)
            await self._client.get_workflow_handle(workflow_id).signal(names.SIGNAL_HAND_OVER)
        except RPCError as error:
            # It has ended; the next look sees that.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        left.woken += 1

    async def _put_on_version(self, workflow_id: str) -> None:
        override = OneTimeVersioningOverride(self._version)
        await self._client.workflow_service.update_workflow_execution_options(
            UpdateWorkflowExecutionOptionsRequest(
                namespace=self._client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                workflow_execution_options=WorkflowExecutionOptions(versioning_override=override._to_proto()),  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the client has no call for it
                update_mask=FieldMask(paths=["versioning_override"]),
                identity=self._client.identity,
            ),
            retry=True,
        )


def _version_of(described: WorkflowExecutionDescription) -> WorkerDeploymentVersion:
    on = described.raw_description.workflow_execution_info.versioning_info.deployment_version
    return WorkerDeploymentVersion(deployment_name=on.deployment_name, build_id=on.build_id)
