"""Runs the workflows behind the finance MCP server: `python -m workers.finance_worker`."""

from durable_loop import names
from durable_loop.bootstrap.client import connect, ensure_namespaces
from durable_loop.bootstrap.process import main
from durable_loop.bootstrap.services import finance_worker
from durable_loop.bootstrap.worker_process import run_worker
from durable_loop.settings import Settings


async def run(settings: Settings) -> None:
    """Work on the finance queue until told to stop."""
    client = await connect(namespace=names.NAMESPACE_FINANCE)
    await ensure_namespaces(client, retention=settings.namespace_retention)
    worker = finance_worker(client, settings)
    await run_worker(worker, what=f"finance worker on {worker.task_queue} in {client.namespace}")


if __name__ == "__main__":
    main(run)
