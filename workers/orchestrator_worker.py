"""Runs chats: `python -m workers.orchestrator_worker`."""

import os

from durable_loop.bootstrap.client import connect, ensure_namespaces
from durable_loop.bootstrap.orchestrator import agents_plugin, orchestrator_worker
from durable_loop.bootstrap.process import main
from durable_loop.bootstrap.worker_process import run_worker
from durable_loop.models.quiet import set_quiet_environment
from durable_loop.settings import Settings


async def run(settings: Settings) -> None:
    """Work on the orchestrator's queue until told to stop."""
    set_quiet_environment(os.environ)  # nothing leaves this process but calls to the configured model
    client = await connect(plugins=[agents_plugin(settings)])
    await ensure_namespaces(client, retention=settings.namespace_retention)
    worker = orchestrator_worker(client, settings)
    await run_worker(worker, what=f"orchestrator worker on {worker.task_queue} in {client.namespace}")


if __name__ == "__main__":
    main(run)
