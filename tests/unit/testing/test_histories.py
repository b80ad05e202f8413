"""Recorded histories: written once, scrubbed, read back."""

import json
from pathlib import Path
from typing import Any

import pytest

from durable_loop.testing import RecordedHistory, replay_history
from durable_loop.testing.own_agent import SERVICES
from tests.requirements import requirement

EVENTS: dict[str, Any] = {
    "events": [
        {
            "eventId": "1",
            "eventTime": "2026-01-02T03:04:05Z",
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
            "taskId": "17",
            "workflowExecutionStartedEventAttributes": {
                "workflowType": {"name": "RoiWorkflow"},
                "identity": "1@host",
                "originalExecutionRunId": "run",
                "taskQueue": {"name": "1@host-abc", "normalName": "queue", "kind": "TASK_QUEUE_KIND_STICKY"},
            },
        },
        {
            "eventId": "2",
            "eventTime": "2026-01-02T03:04:05Z",
            "eventType": "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED",
            "activityTaskScheduledEventAttributes": {"activityType": {"name": "roi"}, "requestId": "x"},
        },
    ]
}


def test_what_tells_of_the_machine_is_not_written(tmp_path: Path) -> None:
    """Run ids stay: they seed `workflow.uuid4()`. (Temporal)"""
    path = tmp_path / "area" / "x.v0.json"
    RecordedHistory("wf", EVENTS).write(path)

    written = path.read_text()
    assert "host" not in written
    assert "requestId" not in written
    assert "taskId" not in written
    started = json.loads(written)["events"][0]["workflowExecutionStartedEventAttributes"]
    assert started["originalExecutionRunId"] == "run"
    assert started["taskQueue"] == {"name": "sticky", "normalName": "queue", "kind": "TASK_QUEUE_KIND_STICKY"}


def test_stack_traces_are_not_written_however_deep_they_are(tmp_path: Path) -> None:
    """They name the files of whoever recorded; the messages beside them stay. (ours)"""
    inner = {"message": "no such model", "stackTrace": 'File "/home/ada/model.py", line 1'}
    failure = {"message": "failed", "stackTrace": 'File "/home/ada/worker.py", line 2', "cause": inner}
    failed = {
        "eventType": "EVENT_TYPE_ACTIVITY_TASK_FAILED",
        "activityTaskFailedEventAttributes": {"failure": failure, "identity": "1@host"},
    }
    RecordedHistory("wf", {"events": [*EVENTS["events"], failed]}).write(tmp_path / "x.v0.json")

    written = json.loads((tmp_path / "x.v0.json").read_text())["events"][-1]
    assert written["activityTaskFailedEventAttributes"] == {
        "failure": {"message": "failed", "cause": {"message": "no such model"}}
    }
    assert "stackTrace" in failure


def test_a_recorded_history_is_never_overwritten(tmp_path: Path) -> None:
    """A new generation has a new name. (ours)"""
    RecordedHistory("wf", EVENTS).write(tmp_path / "x.v0.json")

    with pytest.raises(FileExistsError):
        RecordedHistory("wf", EVENTS).write(tmp_path / "x.v0.json")


def test_a_history_is_read_as_it_was_written_or_as_the_temporal_program_shows_it(tmp_path: Path) -> None:
    """`temporal workflow show` has the id in the first event; where there is none, the file's name is it. (Temporal)"""
    RecordedHistory("wf", EVENTS).write(tmp_path / "ours.json")
    (tmp_path / "theirs.json").write_text(json.dumps(EVENTS))
    shown = json.loads(json.dumps(EVENTS))
    shown["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"] = "trip-1"
    (tmp_path / "shown.json").write_text(json.dumps(shown))

    ours, theirs, named = (RecordedHistory.read(tmp_path / f"{name}.json") for name in ("ours", "theirs", "shown"))

    assert (ours.workflow_id, theirs.workflow_id, named.workflow_id) == ("wf", "theirs", "trip-1")
    assert ours.workflow_type == theirs.workflow_type == "RoiWorkflow"
    assert ours.activities() == ["roi"]
    assert ours.count("EVENT_TYPE_WORKFLOW_EXECUTION_STARTED") == 1


@requirement("temporal.one-event-prefix")
async def test_a_history_with_one_event_replays_instead_of_hanging() -> None:
    """No worker has had it yet (a start delay); Temporal's replayer would wait for ever. (Temporal)"""
    replayed = await replay_history(RecordedHistory("wf", {"events": EVENTS["events"][:1]}), SERVICES.replayer)

    assert (replayed.error, replayed.drift) == (None, [])


def test_a_task_that_is_given_again_because_of_a_message_is_no_failed_one() -> None:
    """The server has it so that no message is lost where a run ends; any other cause counts. (Temporal)"""
    causes = ["UNHANDLED_COMMAND", "WORKFLOW_WORKER_UNHANDLED_FAILURE"]
    events = [
        {
            "eventType": "EVENT_TYPE_WORKFLOW_TASK_FAILED",
            "workflowTaskFailedEventAttributes": {"cause": f"WORKFLOW_TASK_FAILED_CAUSE_{cause}"},
        }
        for cause in causes
    ]

    history = RecordedHistory("wf", {"events": [*EVENTS["events"], *events]})

    assert history.failed_workflow_tasks == ["WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE"]
