"""The IT service's work, done outside the workflows."""

from temporalio import activity

from durable_loop import names
from durable_loop.boundary import as_application_error
from durable_loop.errors import ToolError
from durable_loop.services.it.messages import JiraMetricsRequest, ProjectMetrics
from durable_loop.services.it.metrics import JiraMetrics

__all__ = ["ItActivities"]


class ItActivities:
    """The activities of the IT worker, over one source of metrics."""

    def __init__(self, metrics: JiraMetrics) -> None:
        self._metrics = metrics

    @activity.defn(name=names.ACTIVITY_JIRA_METRICS)
    async def jira_metrics(self, request: JiraMetricsRequest) -> ProjectMetrics:
        """Look up how a project is doing."""
        try:
            return await self._metrics.metrics(request.project)
        except ToolError as error:
            raise as_application_error(error) from error
