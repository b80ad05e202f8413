"""A workflow's history: fetched from its server, or read from a file."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowHistory

from durable_loop.errors import SettingsError
from durable_loop.testing.histories.form import MalformedHistoryError, well_formed
from durable_loop.testing.histories.scrubbing import scrubbed

__all__ = ["HAD_A_MESSAGE", "RecordedHistory", "fetch_history", "fetch_runs"]

HAD_A_MESSAGE: Final = "WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND"


class RecordedHistory:
    """A history with its workflow id, in memory or in a JSON file."""

    def __init__(self, workflow_id: str, events: dict[str, Any], *, is_redacted: bool = False) -> None:
        self.workflow_id = workflow_id
        self.is_redacted = is_redacted  # its texts are covered: what is sent cannot be compared
        self._json = events
        self._whole: Self | None = None  # of a prefix: what it is the beginning of

    @property
    def workflow_type(self) -> str:
        """The name of the workflow that wrote it."""
        return self.events[0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """The events in order, as Temporal's JSON has them."""
        return self._json["events"]

    @property
    def run_id(self) -> str:
        """The run that wrote it."""
        return self.events[0]["workflowExecutionStartedEventAttributes"]["originalExecutionRunId"]

    @property
    def event_types(self) -> list[str]:
        """The events' types in order, as Temporal spells them: `EVENT_TYPE_ACTIVITY_TASK_SCHEDULED`."""
        return [event["eventType"] for event in self.events]

    def activities(self) -> list[str]:
        """Return the types of the activities scheduled, in order."""
        return [scheduled["activityType"]["name"] for scheduled in self.attributes("activityTaskScheduled")]

    def attributes(self, kind: str) -> list[Mapping[str, Any]]:
        """Return what each event of a kind says, in order: `activityTaskScheduled`, as its JSON field begins."""
        field = f"{kind}EventAttributes"
        return [event[field] for event in self.events if field in event]

    def count(self, event_type: str) -> int:
        """Return how many events have this type."""
        return self.event_types.count(event_type)

    @property
    def failed_workflow_tasks(self) -> list[str]:
        """The causes of workflow tasks that failed, as Temporal spells them.

        Left out is what is no fault: a workflow was about to end when the server had a message for it, so that it
        gave the task once more (`UNHANDLED_COMMAND`).
        """
        causes = [failed["cause"] for failed in self.attributes("workflowTaskFailed")]
        return [cause for cause in causes if cause != HAD_A_MESSAGE]

    @property
    def children(self) -> Mapping[str, str]:
        """The types of the child workflows that it started, by their workflow ids."""
        started = self.attributes("childWorkflowExecutionStarted")
        return {child["workflowExecution"]["workflowId"]: child["workflowType"]["name"] for child in started}

    @property
    def next_run_id(self) -> str | None:
        """The run that came after this one: it continued as new, was tried again, or has a schedule."""
        (last,) = (value for key, value in self.events[-1].items() if key.endswith("EventAttributes"))
        return last.get("newExecutionRunId") or None

    @property
    def earlier_run_id(self) -> str | None:
        """The run that continued as new as this one."""
        return self.events[0]["workflowExecutionStartedEventAttributes"].get("continuedExecutionRunId") or None

    def write(self, path: Path) -> None:
        """Write the history, scrubbed of the machine that recorded it.

        Raises:
            FileExistsError: there is one already: a recorded history is not overwritten.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            head = {"workflowId": self.workflow_id, **({"redacted": True} if self.is_redacted else {})}
            json.dump({**head, **self.scrubbed().as_json()}, file, indent=1, sort_keys=True)
            file.write("\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a history that `write` wrote, or `temporal workflow show --output json` did.

        Raises:
            SettingsError: the file cannot be read, or holds no history.
        """
        try:
            content: Any = json.loads(path.read_text(encoding="utf-8"))
            parsed = well_formed(content)
        except (ValueError, RecursionError) as error:
            kind = "" if isinstance(error, MalformedHistoryError) else f"{type(error).__name__}: "
            raise SettingsError(
                f"{path} is no workflow history: {kind}{error}. "
                "Write one with `temporal workflow show --output json` or `durable-loop history pull`."
            ) from error
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
        started = content["events"][0]["workflowExecutionStartedEventAttributes"]
        workflow_id = content.pop("workflowId", None) or started.get("workflowId") or path.stem
        history = cls(workflow_id, content, is_redacted=bool(content.pop("redacted", False)))
        history._parsed = parsed
        return history

    def as_json(self) -> Mapping[str, Any]:
        """Return the history as Temporal's JSON has it."""
        return self._json

    def scrubbed(self) -> Self:
        """Return the history without what tells of the machine that recorded it, as `write` stores it."""
        return type(self)(self.workflow_id, scrubbed(self._json), is_redacted=self.is_redacted)

    def prefix(self, length: int) -> Self:
        """Return the history as it was when it had this many events."""
        shorter = type(self)(
            self.workflow_id, {**self._json, "events": self.events[:length]}, is_redacted=self.is_redacted
        )
        shorter._whole = self._whole or self  # noqa: SLF001 - it is of this class
        return shorter

    def for_replay(self) -> WorkflowHistory:
        """Return the history as Temporal's replayer takes it."""
        # A fifth of a replay: done once for all the prefixes of a history.
        whole = (self._whole or self)._parsed  # noqa: SLF001 - as above
        return WorkflowHistory(self.workflow_id, whole[: len(self.events)])

    @cached_property
    def _parsed(self) -> Sequence[HistoryEvent]:
        return WorkflowHistory.from_json(self.workflow_id, self._json).events


async def fetch_history(handle: WorkflowHandle[Any, Any]) -> RecordedHistory:
    """Fetch a workflow's history from its server; an open one up to now."""
    history = await handle.fetch_history()
    return RecordedHistory(history.workflow_id, history.to_json_dict())


async def fetch_runs(client: Client, workflow_id: str) -> list[RecordedHistory]:
    """Fetch the histories of all runs of a workflow, the first one first; an open one up to now."""
    described = await client.get_workflow_handle(workflow_id).describe()
    runs: list[RecordedHistory] = []
    run_id: str | None = described.raw_description.workflow_execution_info.first_run_id
    while run_id is not None:
        runs.append(await fetch_history(client.get_workflow_handle(workflow_id, run_id=run_id)))
        run_id = runs[-1].next_run_id
    return runs
