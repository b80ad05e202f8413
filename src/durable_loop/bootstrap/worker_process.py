"""A process that runs one Temporal worker: until it is told to stop, and announced once it gets work."""

import asyncio

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from durable_loop.bootstrap.process import announce, until_signalled
from durable_loop.errors import TemporalUnreachableError

__all__ = ["run_worker"]

POLL_INTERVAL = 0.05
VALIDATION_FAILED = "Worker validation failed"


async def run_worker(worker: Worker, *, what: str) -> None:
    """Run a worker until the process is told to stop, and announce when Temporal sees it poll.

    Raises:
        TemporalUnreachableError: Temporal does not take the worker.
    """
    running = asyncio.create_task(worker.run())
    watching = asyncio.create_task(_announce_polling(worker, what))
    stopping = asyncio.create_task(until_signalled())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await worker.shutdown()
        await running
    except RuntimeError as error:
        if VALIDATION_FAILED not in str(error):
            raise
        raise TemporalUnreachableError(f"Temporal does not take the {what}: {error}") from error
    finally:
        for task in (watching, stopping):
            task.cancel()
        await asyncio.wait({watching, stopping})


async def _announce_polling(worker: Worker, what: str) -> None:
    """Wait until Temporal knows this very worker as a poller of its queue: only then will it get work."""
    client = worker.client
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=worker.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    while True:
        try:
            described = await client.workflow_service.describe_task_queue(request)
            if any(poller.identity == client.identity for poller in described.pollers):
                break
        except RPCError as error:
            if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED):
                break  # not allowed to look
            # A server that restarts: the worker goes on by itself.
        await asyncio.sleep(POLL_INTERVAL)
    announce(what)
