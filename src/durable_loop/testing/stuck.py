"""What a workflow that does not end waits for, in words."""

from collections.abc import Iterator
from typing import Any

from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowHandle

from durable_loop.testing.histories import RecordedHistory, fetch_history

__all__ = ["waits_for"]


async def waits_for(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """Return what its server knows of it: tasks that fail, activities and children that have not ended."""
    described = (await handle.describe()).raw_description
    return [*_failed_task(await fetch_history(handle)), *_pending(described)] or ["a message, or a timer"]


def _failed_task(history: RecordedHistory) -> Iterator[str]:
    """Tell of the last workflow task, where it failed."""
    kinds = [kind for kind in history.event_types if kind.startswith("EVENT_TYPE_WORKFLOW_TASK_")]
    if "EVENT_TYPE_WORKFLOW_TASK_FAILED" in kinds[-3:]:
        yield f"its own code, which fails: {history.attributes('workflowTaskFailed')[-1]['failure'].get('message', '')}"


def _pending(described: DescribeWorkflowExecutionResponse) -> Iterator[str]:
    for activity in described.pending_activities:
        yield f"activity {activity.activity_type.name}, attempt {activity.attempt}{_failure(activity)}"
    for child in described.pending_children:
        yield f"child workflow {child.workflow_type_name} ({child.workflow_id})"


def _failure(activity: PendingActivityInfo) -> str:
    return f", which fails: {activity.last_failure.message}" if activity.HasField("last_failure") else ""
