"""A new build of the workers takes over: new workflows begin on it, and what is open moves to it."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names
from durable_loop.bootstrap.client import connect
from durable_loop.bootstrap.deployment import deployment_version
from durable_loop.bootstrap.moving import HandedOver, hand_over
from durable_loop.errors import SettingsError, SetupError, TemporalUnreachableError
from durable_loop.settings import Settings

__all__ = ["make_current", "roll_out"]

PATIENCE: Final = timedelta(seconds=30)
INTERVAL: Final = timedelta(seconds=0.2)
# The chats' last (None): they call what stands in the others.
_NAMESPACES: Final = (names.NAMESPACE_FINANCE, names.NAMESPACE_IT, None)


async def roll_out(settings: Settings, *, old_workers_gone: bool, patience: timedelta) -> HandedOver:
    """Make the build of the settings the current one in every namespace, and move what is open to it.

    The new workers must be running. The old ones should be, until this returns; `old_workers_gone` moves
    what they have left behind: the new build must replay it. This waits while something moves, and `patience` longer.
    A rollout that was broken off can be run again.

    Raises:
        SettingsError: the settings name no build.
        SetupError: not all workers of this build are running, or Temporal refuses a step.
        TemporalUnreachableError: nothing answers.
    """
    version = deployment_version(settings)
    if version is None:
        raise SettingsError(
            "A rollout needs DURABLE_LOOP_DEPLOYMENT and DURABLE_LOOP_BUILD_ID: those of the new workers."
        )
    clients = [await connect(namespace=namespace) for namespace in _NAMESPACES]
    for client in clients:
        with _in_words(client):
            await make_current(client, version)

    async def hand_over_in(client: Client) -> HandedOver:
        with _in_words(client):
            return await hand_over(client, version, old_workers_gone=old_workers_gone, patience=patience)

    done = await asyncio.gather(*map(hand_over_in, clients))
    return HandedOver(
        moved=sum(each.moved for each in done),
        at_work=tuple(workflow_id for each in done for workflow_id in each.at_work),
        unanswered=tuple(workflow_id for each in done for workflow_id in each.unanswered),
    )


async def make_current(client: Client, version: WorkerDeploymentVersion, *, patience: timedelta = PATIENCE) -> None:
    """Have new workflows of this namespace begin on `version`; return when all its task queues know.

    Raises:
        SetupError: no worker of this version is running, or none for a task queue that the current one serves.
        RPCError: Temporal does not answer, or refuses for another reason.
    """
    build = f"Build {version.build_id} of {version.deployment_name}"
    refusal: RPCError | None = None
    try:
        async with asyncio.timeout(patience.total_seconds()):
            refusal = await _refusal(client, version)
            while refusal or not await _is_known(client, version):
                await asyncio.sleep(INTERVAL.total_seconds())
                if refusal:
                    refusal = await _refusal(client, version)
    except TimeoutError as error:
        if refusal is None:
            raise SetupError(
                f"{build} is not yet the current one on all task queues of the namespace {client.namespace}: "
                "a workflow may still begin on the old build. Run the command again."
            ) from error
        raise SetupError(
            f"{build} cannot become the current one in the namespace {client.namespace}; "
            f"Temporal says: {refusal.message}\n"
            "Start the new workers first, on every task queue of the old ones, with the same two settings."
        ) from error


async def _refusal(client: Client, version: WorkerDeploymentVersion) -> RPCError | None:
    """Make it the current version; return why that cannot be, yet."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=version.deployment_name,
        build_id=version.build_id,
        identity=client.identity,
    )
    try:
        await client.workflow_service.set_worker_deployment_current_version(request, retry=True)
    except RPCError as error:
        # It is known from the first poll of its first worker on; a task queue, from the first poll there.
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
            return error
        raise
    return None


async def _is_known(client: Client, version: WorkerDeploymentVersion) -> bool:
    """Whether all task queues know their current version: they learn of it after the call has returned."""
    described = await client.workflow_service.describe_worker_deployment(
        DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=version.deployment_name),
        retry=True,
    )
    info = described.worker_deployment_info
    return (
        info.routing_config.current_deployment_version.build_id == version.build_id
        and info.routing_config_update_state != RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS
    )


@contextmanager
def _in_words(client: Client) -> Generator[None]:
    """Say what Temporal refused, and where.

    Raises:
        TemporalUnreachableError: nothing answers.
        SetupError: it refused a step.
    """
    try:
        yield
    except RPCError as error:
        again = "What has moved stays moved; run the command again."
        if error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
            raise TemporalUnreachableError(
                f"Temporal no longer answers in the namespace {client.namespace}: {error.message}\n{again}"
            ) from error
        raise SetupError(
            f"Temporal refuses the rollout in the namespace {client.namespace} ({error.status.name}): {error.message}\n"
            f"Once that is mended: {again}"
        ) from error
