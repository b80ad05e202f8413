"""Recorded histories replay on this code, without a server. Facts that matter are asserted here, not only recorded."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from temporalio.worker import Replayer

from durable_loop import names
from durable_loop.bootstrap.orchestrator import agents_plugin, replayer
from durable_loop.bootstrap.services import services_replayer
from durable_loop.settings import Settings
from durable_loop.testing import NonDeterminismFoundError, RecordedHistory, replay_history
from tests.replay.changed_workflow import ChangedChatWorkflow
from tests.replay.record import FOLDER, manifest

LIST_TOOLS = ["temporalio.mcp.finance.list-tools", "temporalio.mcp.it.list-tools"]
MODEL = "invoke_model_activity"


def history(name: str) -> RecordedHistory:
    """Read a recorded history by the name it has in the manifest."""
    return RecordedHistory.read(FOLDER / f"{name}.json")


def replayer_of(workflow: str) -> Replayer:
    """Return the replayer that knows a workflow."""
    return replayer(Settings()) if workflow == names.WORKFLOW_CHAT else services_replayer()


def test_the_manifest_and_the_folder_list_the_same_files() -> None:
    """An unlisted file, a missing one, or one that was edited fails. (ours)"""
    listed = {entry["id"]: entry["sha256"] for entry in manifest()}
    stored = {
        path.relative_to(FOLDER).with_suffix("").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FOLDER.rglob("*.json")
    }

    assert stored == listed
    assert all(entry["why"] and entry["expect"] in {"replays", "nondeterminism"} for entry in manifest())


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: cast("dict[str, str]", entry)["id"])
async def test_a_recorded_history_replays_as_its_manifest_says(entry: dict[str, str]) -> None:
    """Open chats recorded by this generation go on under this code; the negative one is noticed. (ours)"""
    recorded = history(entry["id"])
    assert recorded.workflow_type == entry["workflow"]

    if entry["expect"] == "replays":
        await replay_history(recorded, replayer_of(entry["workflow"]), name=entry["id"])
    else:
        with pytest.raises(NonDeterminismFoundError, match=entry["id"]):
            await replay_history(recorded, replayer_of(entry["workflow"]), name=entry["id"])


async def test_a_changed_workflow_fails_the_replay_of_an_unchanged_history() -> None:
    """The check bites: one activity more, and the error says what to do. (ours)"""
    changed = Replayer(workflows=[ChangedChatWorkflow], plugins=[agents_plugin(Settings())])

    with pytest.raises(NonDeterminismFoundError, match=r"workflow\.patched"):
        await replay_history(history("chat/local-tool.v0"), changed)


def test_a_turn_lists_tools_calls_the_model_runs_the_tool_and_calls_the_model_again() -> None:
    """The order that replay pins. (ours)"""
    assert history("chat/one-turn.v0").activities() == [*LIST_TOOLS, MODEL]
    assert history("chat/local-tool.v0").activities() == [*LIST_TOOLS, MODEL, "calculator", MODEL]


def test_tools_are_listed_once_for_a_whole_run() -> None:
    """Three turns, six tool calls, one listing. (ours)"""
    activities = history("chat/mcp-tools.v0").activities()

    assert [activity for activity in activities if activity in LIST_TOOLS] == LIST_TOOLS
    assert activities.count("temporalio.mcp.finance.call-tool") == 2
    assert activities.count("temporalio.mcp.it.call-tool") == 4


def test_the_history_names_the_model_input_and_does_not_hold_it() -> None:
    """What the user said is in the history once, with the update. (ours)"""
    texts = list(payloads(history("chat/mcp-tools.v0")))

    assert sum("JIRA and IP" in text for text in texts) == 1
    assert sum("durable-loop/model-input:" in text for text in texts) == 9


def test_the_turn_of_a_killed_worker_ran_its_tool_once() -> None:
    """Another worker ended it, and the model call was tried again. (ours)"""
    recorded = history("chat/worker-killed-in-mid-turn.v0")

    assert recorded.activities() == [*LIST_TOOLS, MODEL, "calculator", MODEL]
    assert recorded.count("EVENT_TYPE_ACTIVITY_TASK_COMPLETED") == 5
    assert max(attempts(recorded)) > 1
    assert recorded.count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


def test_the_chat_that_was_left_open_is_in_mid_turn() -> None:
    """Its update is accepted and not completed, its second model call is scheduled. (ours)"""
    recorded = history("chat/left-open-in-mid-turn.v0")

    assert recorded.count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == 1
    assert recorded.count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 0
    assert recorded.activities().count(MODEL) == 2


def test_the_failed_turn_is_followed_by_one_that_works() -> None:
    """Both updates are completed, no workflow task failed. (ours)"""
    recorded = history("chat/failed-turn.v0")

    assert recorded.count("EVENT_TYPE_ACTIVITY_TASK_FAILED") == 1
    assert recorded.count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 2
    assert recorded.count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


def test_a_run_that_hands_over_is_followed_by_one_that_has_the_transcript() -> None:
    """Continue-as-new carries what was said. (ours)"""
    first, following = history("chat/continued-as-new.first-run.v0"), history("chat/continued-as-new.next-run.v0")

    assert first.event_types[-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert any("My name is Ada" in text and "Hello Ada." in text for text in payloads(following))


def test_nothing_in_a_history_tells_of_the_machine_that_recorded_it() -> None:
    """No identity, path or stack trace, in the JSON or in a payload. (ours)"""
    telling = re.compile(r"/(home|root|work|Users|tmp)/|\d+@|site-packages|Traceback")

    for path in FOLDER.rglob("*.json"):
        for text in (path.read_text(), *payloads(RecordedHistory.read(path))):
            assert not telling.search(text), path


def payloads(recorded: RecordedHistory) -> Iterator[str]:
    """Yield every payload of a history, decoded."""
    yield from _payloads(json.loads(recorded.for_replay().to_json()))


def _payloads(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if "metadata" in fields and isinstance(fields.get("data"), str):
            yield base64.b64decode(fields["data"]).decode()
        for inner in fields.values():
            yield from _payloads(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _payloads(inner)


def attempts(recorded: RecordedHistory) -> list[int]:
    """Return the attempt with which each activity was started."""
    events = json.loads(recorded.for_replay().to_json())["events"]
    started = [
        event["activityTaskStartedEventAttributes"] for event in events if "activityTaskStartedEventAttributes" in event
    ]
    return [int(attributes["attempt"]) for attributes in started]
