"""A worker of any agent in a process of its own: `python -m durable_loop.testing.agent_worker AGENT QUEUE`.

AGENT is the path of a `DurableAgent`. The model speaks the script that the environment names, and the crash
points are in it where the environment names their folder.
"""

import os
import sys

from durable_loop.bootstrap.client import DEFAULT_ADDRESS, configured_address
from durable_loop.bootstrap.process import main
from durable_loop.bootstrap.worker_process import run_worker
from durable_loop.models.quiet import set_quiet_environment
from durable_loop.settings import Settings
from durable_loop.testing.crash import FOLDER_VARIABLE, CrashInterceptor
from durable_loop.testing.durable_agent import DurableAgent
from durable_loop.testing.fake_model import provider_from_environment

__all__ = ["run"]


async def run(settings: Settings) -> None:
    """Work on the agent's queue until told to stop."""
    set_quiet_environment(os.environ)
    _, path, task_queue = sys.argv
    agent = DurableAgent.load(path)
    address = configured_address() or DEFAULT_ADDRESS
    client = await agent.connect(address, provider_from_environment())
    worker = agent.worker(
        client,
        task_queue=task_queue,
        interceptors=[CrashInterceptor()] if os.environ.get(FOLDER_VARIABLE) else [],
        max_cached_workflows=settings.max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=settings.sticky_queue_timeout,
        graceful_shutdown_timeout=settings.graceful_shutdown,
    )
    await run_worker(worker, what=f"worker of {path} on {task_queue}")


if __name__ == "__main__":
    main(run)
