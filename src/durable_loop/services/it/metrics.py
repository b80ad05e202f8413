"""Where JIRA metrics come from. Demo data today; a live source needs only `metrics`."""

import hashlib
from typing import Protocol

from durable_loop.services.it.messages import ProjectMetrics

__all__ = ["DemoJiraMetrics", "JiraMetrics"]


class JiraMetrics(Protocol):
    """Anything that knows how a JIRA project is doing."""

    async def metrics(self, project: str) -> ProjectMetrics:
        """Return the metrics of `project`, and name the source in them.

        Raises:
            ToolInputError: there is no such project.
            ToolUnavailableError: the source is away.
        """
        ...


class DemoJiraMetrics:
    """Made-up metrics, the same for a project every time."""

    async def metrics(self, project: str) -> ProjectMetrics:
        """Return made-up metrics; every project exists."""
        seed = hashlib.sha256(project.casefold().encode()).digest()
        return ProjectMetrics(
            project=project,
            open_issues=5 + seed[0] % 40,
            in_progress=1 + seed[1] % 12,
            closed_issues=20 + seed[2],
            days_to_close=1 + seed[3] % 90 / 10,
            source="demo",
        )
