"""Recorded histories replay on this code, without a server, and on changed code they do not."""

from dataclasses import replace

import pytest

from durable_loop.testing import Expectation, NonDeterminismFoundError, replay_history
from durable_loop.testing.own_agent import CHAT, SERVICES
from tests.replay.changed_services import CHANGED_SERVICES
from tests.replay.changed_workflow import ChangedChatWorkflow, ForgetfulChatWorkflow, UnlistedChatWorkflow
from tests.replay.reading import STORE, history
from tests.replay.scenarios import SCENARIOS

# Temporal's word for it: a workflow that breaks for another reason says something else.
TOLD = "Nondeterminism error"


def test_each_history_of_this_repository_can_be_recorded_again() -> None:
    """The scenarios and the manifest name the same histories, for the same reasons. (ours)"""
    newest = {entry.name: (entry.expect, entry.why) for entry in sorted(STORE.entries(), key=lambda e: e.generation)}

    assert newest == {name: (scenario.expect, why) for scenario in SCENARIOS for name, why in scenario.why.items()}
    assert {expect for expect, _ in newest.values()} == set(Expectation)


@pytest.mark.parametrize("changed", [ChangedChatWorkflow, UnlistedChatWorkflow])
async def test_a_changed_chat_fails_the_replay_of_an_unchanged_history(changed: type) -> None:
    """The check bites, one command more or one less, and the error says what to do. (ours)"""
    with pytest.raises(NonDeterminismFoundError, match=rf"(?s){TOLD}.*workflow\.patched"):
        await replay_history(history("chat/local-tool"), replace(CHAT, workflows=[changed]).replayer)


async def test_a_chat_without_its_patch_fails_the_replay_of_what_was_patched() -> None:
    """And the chat with it replays what is older, as all that is stored is (`fixtures/histories`). (ours)"""
    with pytest.raises(NonDeterminismFoundError, match=TOLD):
        await replay_history(history("chat/cancelled-first"), replace(CHAT, workflows=[ForgetfulChatWorkflow]).replayer)
    assert "EVENT_TYPE_MARKER_RECORDED" not in history("chat/cancelled-too-early").event_types


@pytest.mark.parametrize("id", ["finance/stock-price", "finance/roi", "it/jira-metrics", "it/session-continued-as-new"])
async def test_a_changed_service_fails_the_replay_of_an_unchanged_history(id: str) -> None:  # noqa: A002 - as in the manifest
    """Each of the four workflows, changed in its own way. (ours)"""
    with pytest.raises(NonDeterminismFoundError, match=TOLD):
        await replay_history(history(id), replace(SERVICES, workflows=CHANGED_SERVICES).replayer)


async def test_a_history_without_any_command_notices_no_new_one() -> None:
    """The replayer compares when it meets a command's event: so a session that hands over is kept too. (known gap)"""
    recorded = history("it/session")
    assert set(recorded.event_types[1:]) == {
        "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
        "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
        "EVENT_TYPE_WORKFLOW_TASK_STARTED",
        "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
    }

    await replay_history(recorded, replace(SERVICES, workflows=CHANGED_SERVICES).replayer)


@pytest.mark.parametrize("id", ["chat/left-open-in-mid-turn", "chat/continued-as-new.next-run"])
async def test_a_chat_that_is_open_is_protected_as_one_that_is_over(id: str) -> None:  # noqa: A002 - as in the manifest
    """In mid turn, and in a run that began with what was carried over. (ours)"""
    with pytest.raises(NonDeterminismFoundError, match=TOLD):
        await replay_history(history(id), replace(CHAT, workflows=[ChangedChatWorkflow]).replayer)
