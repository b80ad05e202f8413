"""Recorded histories replay on this code, without a server, and on changed code they do not."""

import hashlib
from typing import cast

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from durable_loop import names
from durable_loop.bootstrap.orchestrator import agents_plugin, replayer
from durable_loop.bootstrap.services import services_replayer
from durable_loop.settings import Settings
from durable_loop.testing import NonDeterminismFoundError, replay_history
from tests.replay.changed_services import CHANGED_SERVICES
from tests.replay.changed_workflow import ChangedChatWorkflow, UnlistedChatWorkflow
from tests.replay.reading import history
from tests.replay.record import FOLDER, GENERATION, manifest
from tests.replay.scenarios import SCENARIOS

# Temporal's word for it: a workflow that breaks for another reason says something else.
TOLD = "Nondeterminism error"


def replayer_of(workflow: str) -> Replayer:
    """Return the replayer that knows a workflow."""
    return replayer(Settings()) if workflow == names.WORKFLOW_CHAT else services_replayer()


def test_the_manifest_and_the_folder_list_the_same_files() -> None:
    """An unlisted file, a missing one, one listed twice, or one that was edited fails. (ours)"""
    listed = sorted((entry["id"], entry["sha256"]) for entry in manifest())
    stored = sorted(
        (path.relative_to(FOLDER).with_suffix("").as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in FOLDER.rglob("*.json")
    )

    assert stored == listed
    for entry in manifest():
        assert entry["events"] == len(history(entry["id"]).event_types), entry["id"]
        assert entry["versions"]["temporalio"], entry["id"]


def test_each_history_of_this_generation_can_be_recorded_again() -> None:
    """The scenarios and the manifest name the same histories, for the same reasons. (ours)"""
    listed = {
        entry["id"]: (entry["expect"], entry["why"]) for entry in manifest() if entry["id"].endswith(f".v{GENERATION}")
    }

    assert listed == {
        f"{name}.v{GENERATION}": (scenario.expect, why) for scenario in SCENARIOS for name, why in scenario.why.items()
    }
    assert {expect for expect, _ in listed.values()} == {"replays", "nondeterminism"}


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: cast("dict[str, str]", entry)["id"])
async def test_a_recorded_history_replays_as_its_manifest_says(entry: dict[str, str]) -> None:
    """Open chats recorded by this generation go on under this code; the negative one is noticed. (ours)"""
    recorded = history(entry["id"])
    assert recorded.workflow_type == entry["workflow"]

    if entry["expect"] == "replays":
        await replay_history(recorded, replayer_of(entry["workflow"]), name=entry["id"])
    else:
        with pytest.raises(NonDeterminismFoundError, match=f"{entry['id']} does not replay: .*{TOLD}"):
            await replay_history(recorded, replayer_of(entry["workflow"]), name=entry["id"])


@pytest.mark.parametrize("changed", [ChangedChatWorkflow, UnlistedChatWorkflow])
async def test_a_changed_chat_fails_the_replay_of_an_unchanged_history(changed: type) -> None:
    """The check bites, one command more or one less, and the error says what to do. (ours)"""
    replaying = Replayer(workflows=[changed], plugins=[agents_plugin(Settings())])

    with pytest.raises(NonDeterminismFoundError, match=rf"(?s){TOLD}.*workflow\.patched"):
        await replay_history(history("chat/local-tool.v0"), replaying)


@pytest.mark.parametrize(
    "id", ["finance/stock-price.v0", "finance/roi.v0", "it/jira-metrics.v0", "it/session-continued-as-new.v0"]
)
async def test_a_changed_service_fails_the_replay_of_an_unchanged_history(id: str) -> None:  # noqa: A002 - as in the manifest
    """Each of the four workflows, changed in its own way. (ours)"""
    replaying = Replayer(workflows=CHANGED_SERVICES, data_converter=pydantic_data_converter)

    with pytest.raises(NonDeterminismFoundError, match=TOLD):
        await replay_history(history(id), replaying)


async def test_a_history_without_any_command_notices_no_new_one() -> None:
    """The replayer compares when it meets a command's event: so a session that hands over is kept too. (known gap)"""
    recorded = history("it/session.v0")
    assert set(recorded.event_types[1:]) == {
        "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
        "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
        "EVENT_TYPE_WORKFLOW_TASK_STARTED",
        "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
    }

    await replay_history(recorded, Replayer(workflows=CHANGED_SERVICES, data_converter=pydantic_data_converter))


@pytest.mark.parametrize("id", ["chat/left-open-in-mid-turn.v0", "chat/continued-as-new.next-run.v0"])
async def test_a_chat_that_is_open_is_protected_as_one_that_is_over(id: str) -> None:  # noqa: A002 - as in the manifest
    """In mid turn, and in a run that began with what was carried over. (ours)"""
    replaying = Replayer(workflows=[ChangedChatWorkflow], plugins=[agents_plugin(Settings())])

    with pytest.raises(NonDeterminismFoundError, match=TOLD):
        await replay_history(history(id), replaying)
