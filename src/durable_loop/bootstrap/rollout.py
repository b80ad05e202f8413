"""A new build of the workers takes over: new chats begin on it, open ones are handed over by their old workers.

A run stays on the build that began it. An open chat moves when it continues as new, for which its old
workers must still be there; a chat whose old workers are gone is put on the new build by an override.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    SetWorkerDeploymentCurrentVersionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client
from temporalio.common import OneTimeVersioningOverride, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names
from durable_loop.bootstrap.client import connect
from durable_loop.bootstrap.deployment import deployment_version
from durable_loop.errors import SettingsError, SetupError
from durable_loop.settings import Settings

__all__ = ["HandedOver", "hand_over", "make_current", "roll_out"]

PATIENCE: Final = timedelta(seconds=30)
# A task queue learns of its new version a moment later; whoever was woken before that is woken again.
INTERVAL: Final = timedelta(seconds=0.5)
# What lives long, by its namespace (None: that of the chats); the others have short workflows alone.
_LONG_LIVED: Final = {None: names.WORKFLOW_CHAT, names.NAMESPACE_IT: names.WORKFLOW_IT_SESSION}


@dataclass(frozen=True)
class HandedOver:
    """How many open workflows have moved to the new build, and which have not: nobody works on their old one."""

    moved: int
    left: tuple[str, ...]


async def roll_out(settings: Settings, *, old_workers_gone: bool) -> HandedOver:
    """Make the build of the settings the current one in every namespace, and move what is open to it.

    The new workers must be running. The old ones should be, until this returns; `old_workers_gone` moves
    what they have left behind: the new build must replay it.

    Raises:
        SettingsError: the settings name no build.
        SetupError: no worker of this build is running.
        TemporalUnreachableError: nothing answers.
    """
    version = deployment_version(settings)
    if version is None:
        raise SettingsError(
            "A rollout needs DURABLE_LOOP_DEPLOYMENT and DURABLE_LOOP_BUILD_ID: those of the new workers."
        )
    # The chats' last: they call what stands in the others.
    for namespace in (names.NAMESPACE_FINANCE, names.NAMESPACE_IT, None):
        await make_current(await connect(namespace=namespace), version)
    done = [
        await hand_over(await connect(namespace=namespace), version, workflow_type, old_workers_gone=old_workers_gone)
        for namespace, workflow_type in _LONG_LIVED.items()
    ]
    return HandedOver(moved=sum(each.moved for each in done), left=tuple(left for each in done for left in each.left))


async def make_current(client: Client, version: WorkerDeploymentVersion, *, patience: timedelta = PATIENCE) -> None:
    """Have new workflows of this namespace begin on `version`.

    Raises:
        SetupError: no worker of this version is running.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=version.deployment_name,
        build_id=version.build_id,
        identity=client.identity,
        ignore_missing_task_queues=True,
    )
    try:
        async with asyncio.timeout(patience.total_seconds()):
            while True:
                try:
                    await client.workflow_service.set_worker_deployment_current_version(request)
                except RPCError as error:
                    # It is known from the first poll of its first worker on.
                    if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                        raise
                else:
                    return
                await asyncio.sleep(INTERVAL.total_seconds())
    except TimeoutError as error:
        raise SetupError(
            f"No worker of build {version.build_id} of {version.deployment_name} runs in the namespace "
            f"{client.namespace}: start the new workers first, with the same two settings."
        ) from error


async def hand_over(
    client: Client,
    version: WorkerDeploymentVersion,
    workflow_type: str,
    *,
    old_workers_gone: bool = False,
    patience: timedelta = PATIENCE,
) -> HandedOver:
    """Wake every open workflow of a type that is on another version, and wait until it has moved."""
    others = [workflow_id async for workflow_id in _open_elsewhere(client, version, workflow_type)]
    if old_workers_gone:
        for workflow_id in others:
            await _put_on(client, version, workflow_id)
    left = others
    with suppress(TimeoutError):
        async with asyncio.timeout(patience.total_seconds()):
            while left:
                for workflow_id in left:
                    await client.get_workflow_handle(workflow_id).signal(names.SIGNAL_HAND_OVER)
                await asyncio.sleep(INTERVAL.total_seconds())
                left = [workflow_id async for workflow_id in _open_elsewhere(client, version, workflow_type)]
    return HandedOver(moved=len(set(others) - set(left)), left=tuple(left))


async def _open_elsewhere(client: Client, version: WorkerDeploymentVersion, workflow_type: str) -> AsyncIterator[str]:
    # One of no deployment was begun by workers that upgrade in place.
    query = (
        f"WorkflowType = '{workflow_type}' AND ExecutionStatus = 'Running' "
        f"AND TemporalWorkerDeployment = '{version.deployment_name}'"
    )
    async for execution in client.list_workflows(query):
        described = await client.get_workflow_handle(execution.id).describe()
        info = described.raw_description.workflow_execution_info.versioning_info.deployment_version
        if info.deployment_name == version.deployment_name and info.build_id != version.build_id:
            yield execution.id


async def _put_on(client: Client, version: WorkerDeploymentVersion, workflow_id: str) -> None:
    override = OneTimeVersioningOverride(version)
    await client.workflow_service.update_workflow_execution_options(
        UpdateWorkflowExecutionOptionsRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            workflow_execution_options=WorkflowExecutionOptions(versioning_override=override._to_proto()),  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the client has no call for it
            update_mask=FieldMask(paths=["versioning_override"]),
            identity=client.identity,
        )
    )
