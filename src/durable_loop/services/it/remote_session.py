"""One IT session seen from the MCP server: change it by signals, read it by queries."""

from dataclasses import dataclass
from typing import Any, Final

from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from durable_loop import names
from durable_loop.errors import ToolInputError, ToolUnavailableError
from durable_loop.services.calls import Backing, is_missing_workflow, key_used_before, safe_id
from durable_loop.services.it.messages import (
    Answer,
    IpHistory,
    ItSessionState,
    JiraMetricsRequest,
    JiraProject,
    ProjectMetrics,
    SetJiraProject,
    TrackedIp,
    TrackIp,
)
from durable_loop.services.it.workflows import ItSessionWorkflow, JiraMetricsWorkflow

__all__ = ["RemoteItSession"]

_AFTER_A_CHANGE: Final = "The change may still be made; look before you try again."


@dataclass(frozen=True)
class RemoteItSession:
    """The session called `name`; it need not exist before its first change.

    Each method raises `ToolUnavailableError` when there is no answer in time.
    """

    backing: Backing
    name: str

    async def set_jira_project(self, project: str, *, key: str) -> JiraProject:
        """Set the session's project, once per key.

        Raises:
            ToolInputError: the key came with another change before.
        """
        request = SetJiraProject(project=project, key=key)
        answer = await self._change(names.SIGNAL_SET_JIRA_PROJECT, request)
        if not isinstance(answer, JiraProject) or answer.project != project:
            raise key_used_before()
        return answer

    async def track_ip(self, *, key: str) -> TrackedIp:
        """Track the next address, once per key.

        Raises:
            ToolInputError: the key came with another change before.
        """
        answer = await self._change(names.SIGNAL_TRACK_IP, TrackIp(key=key))
        if not isinstance(answer, TrackedIp):
            raise key_used_before()
        return answer

    async def ip_history(self) -> IpHistory:
        """Return the addresses tracked so far."""
        async with self.backing.answering():
            try:
                return await self._handle.query(ItSessionWorkflow.ip_history)
            except RPCError as error:
                if is_missing_workflow(error):
                    return IpHistory()
                raise

    async def jira_metrics(self, *, key: str) -> ProjectMetrics:
        """Look up how the session's project is doing, once per key.

        Raises:
            ToolInputError: no project was set, or there is no such project.
        """
        async with self.backing.answering():
            project = await self._jira_project()
            if project is None:
                raise ToolInputError("No JIRA project is set in this session: set one with set_jira_project first.")
            return await self.backing.run_once(
                JiraMetricsWorkflow.run,
                JiraMetricsRequest(project=project),
                # Neither part can hold a "#": no two pairs of session and key share an id.
                workflow_id=f"{names.ID_JIRA_METRICS}{safe_id(self.name)}#{key}",
            )

    @property
    def _workflow_id(self) -> str:
        return names.ID_IT_SESSION + safe_id(self.name)

    @property
    def _handle(self) -> WorkflowHandle[ItSessionWorkflow, Any]:
        return self.backing.client.get_workflow_handle_for(ItSessionWorkflow.run, self._workflow_id)

    async def _jira_project(self) -> str | None:
        try:
            return await self._handle.query(ItSessionWorkflow.jira_project)
        except RPCError as error:
            if is_missing_workflow(error):
                return None
            raise

    async def _change(self, signal: str, request: SetJiraProject | TrackIp) -> Answer:
        async with self.backing.answering(advice=_AFTER_A_CHANGE):
            await self.backing.client.start_workflow(
                ItSessionWorkflow.run,
                ItSessionState(),
                id=self._workflow_id,
                task_queue=self.backing.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal=signal,
                start_signal_args=[request],
            )
            answer = await self._handle.query(ItSessionWorkflow.answer, request.key)
        if answer is None:
            raise ToolUnavailableError(f"The {self.backing.service} service took the change but lost its answer.")
        return answer
