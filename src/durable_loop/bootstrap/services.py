"""The finance and IT workers, each in its own namespace."""

from collections.abc import Callable, Sequence
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from durable_loop import names
from durable_loop.bootstrap.deployment import deployment_config
from durable_loop.bootstrap.interceptors import interceptors
from durable_loop.services.finance import worker as finance
from durable_loop.services.it import worker as it
from durable_loop.settings import Settings

__all__ = ["finance_worker", "it_worker"]


def finance_worker(client: Client, settings: Settings) -> Worker:
    """Return the worker behind the finance MCP server; `client` is connected to its namespace."""
    return _worker(client, settings, names.QUEUE_FINANCE, finance.WORKFLOWS, finance.activities())


def it_worker(client: Client, settings: Settings) -> Worker:
    """Return the worker behind the IT MCP server; `client` is connected to its namespace."""
    return _worker(client, settings, names.QUEUE_IT, it.WORKFLOWS, it.activities())


def _worker(
    client: Client,
    settings: Settings,
    task_queue: str,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        interceptors=interceptors(settings),
        max_cached_workflows=settings.max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=settings.sticky_queue_timeout,
        graceful_shutdown_timeout=settings.graceful_shutdown,
        deployment_config=deployment_config(settings),
    )
