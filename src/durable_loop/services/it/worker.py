"""What the IT worker runs, on `names.QUEUE_IT` in `names.NAMESPACE_IT`."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from durable_loop.services.it.activities import ItActivities
from durable_loop.services.it.metrics import DemoJiraMetrics, JiraMetrics
from durable_loop.services.it.workflows import ItSessionWorkflow, JiraMetricsWorkflow

__all__ = ["WORKFLOWS", "activities"]

WORKFLOWS: Final[Sequence[type]] = (ItSessionWorkflow, JiraMetricsWorkflow)


def activities(metrics: JiraMetrics | None = None) -> Sequence[Callable[..., Any]]:
    """Return the activities, over `metrics` or the demo data."""
    it = ItActivities(metrics if metrics is not None else DemoJiraMetrics())
    return (it.jira_metrics,)
