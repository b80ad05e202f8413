"""The IT session, which outlives its MCP server and its worker; and one workflow per look at JIRA."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():  # pydantic models: building them again for every run is slow
    from durable_loop import names
    from durable_loop.services.it.messages import (
        Answer,
        IpHistory,
        ItSessionState,
        JiraMetricsRequest,
        ProjectMetrics,
        SetJiraProject,
        TrackIp,
    )
    from durable_loop.services.it.session import ItSession
    from durable_loop.versioning import needs_new_run, next_version

__all__ = ["ItSessionWorkflow", "JiraMetricsWorkflow"]

ATTEMPT_TIMEOUT: Final = timedelta(seconds=10)
HEARTBEAT_TIMEOUT: Final = timedelta(seconds=5)
RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(seconds=0.5),
    maximum_interval=timedelta(seconds=5),
    maximum_attempts=4,
)


@workflow.defn(name=names.WORKFLOW_IT_SESSION)
class ItSessionWorkflow:
    """One IT session, for as long as anybody wants it; as many runs as its length asks for."""

    @workflow.init
    def __init__(self, carried: ItSessionState) -> None:
        self._session = ItSession(carried)

    @workflow.run
    async def run(self, carried: ItSessionState) -> None:  # noqa: ARG002 - taken by __init__
        """Wait for changes; continue as new, with all that is known, when Temporal asks for a new run."""
        await workflow.wait_condition(needs_new_run)
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._session.carry(), initial_versioning_behavior=next_version())

    @workflow.signal(name=names.SIGNAL_HAND_OVER)
    def hand_over(self) -> None:
        """Do nothing: with any task, a session that is idle sees that its workers have a new version."""

    @workflow.signal(name=names.SIGNAL_SET_JIRA_PROJECT)
    def set_jira_project(self, request: SetJiraProject) -> None:
        """Make this the session's project."""
        self._session.set_jira_project(request)

    @workflow.signal(name=names.SIGNAL_TRACK_IP)
    def track_ip(self, request: TrackIp) -> None:
        """Track the next address."""
        self._session.track_ip(request, now=workflow.now())

    @workflow.query(name=names.QUERY_ANSWER)
    def answer(self, key: str) -> Answer | None:
        """Return the answer to the change with this key."""
        return self._session.answer(key)

    @workflow.query(name=names.QUERY_JIRA_PROJECT)
    def jira_project(self) -> str | None:
        """Return the session's project."""
        return self._session.project

    @workflow.query(name=names.QUERY_IP_HISTORY)
    def ip_history(self) -> IpHistory:
        """Return the addresses tracked so far."""
        return self._session.history


@workflow.defn(name=names.WORKFLOW_JIRA_METRICS)
class JiraMetricsWorkflow:
    """The metrics of one JIRA project, looked up once: a query may not reach out, a workflow may."""

    @workflow.run
    async def run(self, request: JiraMetricsRequest) -> ProjectMetrics:
        """Return the metrics; an unknown project fails the workflow with a `ToolInputError`."""
        return await workflow.execute_activity(
            names.ACTIVITY_JIRA_METRICS,
            request,
            result_type=ProjectMetrics,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RETRIES,
        )
