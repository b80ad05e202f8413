"""The teeth of replay and drift: each change of a workflow is found, and told for what it is."""

from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from durable_loop.testing import (
    Environment,
    RecordedHistory,
    Script,
    Verdict,
    calls,
    check_history,
    replay_history,
    says,
)
from durable_loop.testing.histories.payloads import recorded_values
from durable_loop.testing.histories.replaying import boundaries
from tests.harness.foreign_agents import AGENT, AnswersNextDay, GivesUp, GreetsByName, LooksNextDoor, Relays
from tests.harness.mutated_agents import BREAKING, DRIFTING, STUCK, LooksForSomebodyElse
from tests.replay.reading import payloads
from tests.requirements import requirement

Recorded = dict[str, RecordedHistory]


@pytest.fixture(name="recorded", scope="module")
async def _recorded(env: Environment) -> Recorded:
    """Run the unchanged agents, and keep what they leave behind."""
    script = Script(calls("next_door", name="Ada"), says("Hello Ada, hello Grace."))
    async with env.running(AGENT, script) as agent:
        await agent.execute(GreetsByName.run, "I am Ada")
        await agent.execute(LooksNextDoor.run)
        handle = await agent.start(AnswersNextDay.run)
        await env.fast_forward(handle, timedelta(days=2))
        await handle.result()
        with pytest.raises(WorkflowFailureError):
            await agent.execute(GivesUp.run)
        relaying = await agent.start(Relays.run, 1)
        await relaying.execute_update(Relays.greet, "Bob", id="greeting")  # pyright: ignore[reportUnknownMemberType] - an overload of the SDK
        await relaying.result()
        # Of a workflow with several runs the first one, which has the most in it.
        return {history.workflow_type: history for history in reversed(await agent.histories())}


@requirement("temporal.boundaries")
async def test_what_has_not_changed_replays_from_every_prefix_and_sends_the_same(recorded: Recorded) -> None:
    """No false alarm. (ours)"""
    for history in recorded.values():
        checked = await check_history(history, AGENT.replayer, name="unchanged")

        assert (checked.verdict, checked.words) == (Verdict.REPLAYS, "")
        # As each task begins, and before the next one is scheduled.
        assert checked.prefixes == 2 * history.event_types.count("EVENT_TYPE_WORKFLOW_TASK_STARTED") - 1


@pytest.mark.parametrize("mutant", BREAKING)
@requirement("harness.breaks")
async def test_what_breaks_open_workflows_fails_the_replay(mutant: type, recorded: Recorded) -> None:
    """A timer added, a tool removed, an activity renamed, the order swapped. (ours)"""
    changed = replace(AGENT, workflows=[mutant])
    (workflow_type,) = changed.workflow_types

    checked = await check_history(recorded[workflow_type], changed.replayer, name="changed")

    assert checked.verdict is Verdict.BREAKS
    assert "changed does not replay: " in checked.words
    assert "workflow.patched" in checked.words


@pytest.mark.parametrize(("mutant", "why"), STUCK)
@requirement("temporal.boundaries")
async def test_what_breaks_where_a_worker_would_go_on_fails_a_replay_of_what_came_before(
    mutant: type, why: str, recorded: Recorded
) -> None:
    """The whole history replays: there nobody goes on. (ours)"""
    changed = replace(AGENT, workflows=[mutant])
    history = recorded[GreetsByName.__name__]
    await replay_history(history, changed.replayer)

    as_the_last_task_begins = history.prefix(boundaries(history.event_types)[-2])
    checked = await check_history(as_the_last_task_begins, changed.replayer, name="changed")

    assert checked.verdict is Verdict.BREAKS
    assert checked.words.startswith(f"changed does not replay: its next task fails: {why}\nMend that")


@requirement("temporal.boundaries")
async def test_what_breaks_at_a_boundary_fails_the_check_of_the_whole(recorded: Recorded) -> None:
    """At the first one, by its place. (ours)"""
    changed = replace(AGENT, workflows=[STUCK[0][0]])
    history = recorded[GreetsByName.__name__]

    checked = await check_history(history, changed.replayer, name="changed")

    place = f"changed, events 1 to {boundaries(history.event_types)[-2]}"  # as the last task is about to begin
    assert checked.verdict is Verdict.BREAKS
    assert checked.words.startswith(f"{place} does not replay: its next task fails: KeyError: 'nothing'\nMend that")


@pytest.mark.parametrize(("mutant", "words"), DRIFTING, ids=lambda value: getattr(value, "__name__", ""))
@requirement("harness.drift")
async def test_what_changes_behaviour_is_told_as_drift(mutant: type, words: list[str], recorded: Recorded) -> None:
    """Instructions, model, settings, tools, arguments, addressees, results: Temporal's own replay is content. (ours)"""
    changed = replace(AGENT, workflows=[mutant])

    (workflow_type,) = changed.workflow_types
    checked = await check_history(recorded[workflow_type], changed.replayer, name="changed")

    assert checked.verdict is Verdict.DRIFTS, checked.words
    for expected in words:
        assert expected in checked.words, checked.words


async def test_the_arguments_of_a_local_activity_are_in_no_history(recorded: Recorded) -> None:
    """So there is nothing to compare them with; its name and its result are there. (Temporal; known gap)"""
    history = recorded[LooksNextDoor.__name__]
    (marker,) = history.attributes("markerRecorded")
    details = {key: [*recorded_values(payloads)] for key, payloads in marker["details"].items()}
    assert details.keys() == {"data", "result"}
    assert details["result"] == ["Zoe's neighbour is Grace"]
    assert details["data"][0]["activity_type"] == "next_door"
    assert [text for text in payloads(history) if "Zoe" in text] == ['"Zoe\'s neighbour is Grace"'] * 2

    changed = replace(AGENT, workflows=[LooksForSomebodyElse])
    assert (await check_history(history, changed.replayer, name="changed")).verdict is Verdict.REPLAYS
