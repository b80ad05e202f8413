"""What every process of the stack does alike: logging, settings, run until signalled, exit codes.

An error of setup is one readable message and exit code 2; anything else is logged with its traceback, code 1.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NoReturn

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.worker import Worker

from durable_loop.errors import SetupError
from durable_loop.settings import Settings, load_settings

__all__ = ["READY", "announce", "leave", "main", "run_worker", "until_signalled"]

logger = logging.getLogger(__name__)

# The first word of the line that a part prints once it can be used; the supervisor waits for it.
READY = "ready:"
POLL_INTERVAL = 0.05


def main(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> NoReturn:
    """Run a part of the stack and end the process with the right exit code."""
    code = 0
    try:
        settings = load_settings()
        logging.basicConfig(
            level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        asyncio.run(run(settings))
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        code = 2
    except KeyboardInterrupt:
        code = 130
    except Exception:
        logger.exception("This is a bug or a broken installation")
        code = 1
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process now, its output written.

    The SDK's threads may abort a process that goes through the interpreter's own shutdown (temporalio 1.35).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def run_worker(worker: Worker, *, what: str) -> None:
    """Run a worker until the process is told to stop, and announce when Temporal sees it poll."""
    running = asyncio.create_task(worker.run())
    watching = asyncio.create_task(_announce_polling(worker, what))
    stopping = asyncio.create_task(until_signalled())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await worker.shutdown()
        await running
    finally:
        for task in (watching, stopping):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until_signalled() -> None:
    """Return when the process gets SIGTERM or SIGINT."""
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    await signalled.wait()


def announce(what: str) -> None:
    """Tell whoever started this process that it can be used now."""
    sys.stdout.write(f"{READY} {what}\n")
    sys.stdout.flush()


async def _announce_polling(worker: Worker, what: str) -> None:
    """Wait until Temporal knows this very worker as a poller of its queue: only then will it get work."""
    client = worker.client
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=worker.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    while True:
        described = await client.workflow_service.describe_task_queue(request)
        if any(poller.identity == client.identity for poller in described.pollers):
            break
        await asyncio.sleep(POLL_INTERVAL)
    announce(what)
