"""What a model was told then is told again from the events, so that a change of it can be shown."""

import base64
import json
from itertools import count
from typing import Any

import pytest

from durable_loop import names
from durable_loop.chat import stretches
from durable_loop.chat.messages import Failure
from durable_loop.chat.model_input import ModelInputReference
from durable_loop.chat.state import ChatState
from durable_loop.testing import Expectation, RecordedHistory, Verdict, check_history, replay_histories, replay_history
from durable_loop.testing.histories.model_inputs import named_in
from durable_loop.testing.histories.replaying import boundaries
from durable_loop.testing.histories.retelling import retold
from durable_loop.testing.histories.sendings import Sending, SendingNotes, sendings_in
from durable_loop.testing.own_agent import CHAT
from tests.replay.reading import STORE, history
from tests.requirements import requirement

CHATS = [entry for entry in STORE.entries() if entry.workflow == "ChatWorkflow" and entry.expect is Expectation.REPLAYS]


async def sent_now(name: str) -> list[Sending]:
    """Return what this code sends, with every model input."""
    recorded, notes = history(name), SendingNotes()
    await CHAT.replayer([notes]).replay_workflow(recorded.for_replay())
    return notes.take(recorded.run_id)


@pytest.mark.parametrize("entry", CHATS, ids=lambda entry: entry.id)
@requirement("harness.retold")
async def test_every_input_that_a_history_names_is_told_again_from_its_events(entry: Any) -> None:
    """To the byte: its hash says so. (ours)"""
    recorded = history(entry.id)

    told = retold(recorded, sendings_in(recorded), await sent_now(entry.id))

    inputs = [sending for sending in told if sending.model_input is not None]
    assert len(inputs) == len(named_in(recorded)) > 0
    for sending in inputs:
        reference = ModelInputReference.find(sending.values[0]["input"])
        assert reference is not None
        assert reference.matches(sending.model_input or "")


@requirement("harness.drift")
async def test_another_message_to_the_model_is_shown_item_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the history holds a hash: what it was, and what it is. (ours)"""
    original = stretches.run_in_stretches

    async def louder(agent: Any, text: str, *others: Any, **options: Any) -> str:
        return await original(agent, f"{text}!", *others, **options)

    monkeypatch.setattr(stretches, "run_in_stretches", louder)

    checked = await check_history(history("chat/local-tool"), CHAT.replayer, name="louder")

    assert checked.verdict is Verdict.DRIFTS
    assert checked.words.splitlines() == [
        "louder replays, and something else is sent:",
        'model call 1 and 1 more: input[0].content changed: "15 * 23?" → "15 * 23?!"',
    ]


async def test_another_note_of_a_failed_turn_is_told_and_that_the_old_one_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The note is in no event. (known gap)"""
    original = ChatState.fail

    def shorter(state: ChatState, failure: Failure, _done: object = ()) -> None:
        original(state, failure)

    monkeypatch.setattr(ChatState, "fail", shorter)

    replayed = await replay_history(history("chat/failed-turn"), CHAT.replayer)

    (found,) = replayed.drift
    assert (found.where, found.what) == ("model call 3", "input")
    assert "cannot be told again from the events" in str(found)


async def test_a_call_that_is_no_json_beside_a_good_one_stops_no_comparison() -> None:
    """What a model writes is data: no activity came of that call, and the rest is told. (ours)"""
    recorded = history("chat/local-tool")
    content = json.loads(json.dumps(dict(recorded.as_json())))
    answer = next(
        payload
        for event in content["events"]
        if (completed := event.get("activityTaskCompletedEventAttributes"))
        for payload in completed["result"]["payloads"]
        if "function_call" in base64.b64decode(payload["data"]).decode()
    )
    value = json.loads(base64.b64decode(answer["data"]))
    (good,) = (item for item in value["output"] if item["type"] == "function_call")
    value["output"].insert(0, {**good, "call_id": "garbled", "arguments": '{"expression": '})
    answer["data"] = base64.b64encode(json.dumps(value).encode()).decode()
    garbled = RecordedHistory(recorded.workflow_id, content)

    told = retold(garbled, sendings_in(garbled), await sent_now("chat/local-tool"))

    assert [sending.model_input is not None for sending in told if sending.name in names.ACTIVITIES_MODEL_CALL] == [
        True,
        False,
    ]


async def test_histories_of_one_run_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is compared with what its own replay sent, also where it is a prefix of the one before. (ours)"""
    original, replays = stretches.run_in_stretches, count(1)

    async def numbered(agent: Any, text: str, *others: Any, **options: Any) -> str:
        return await original(agent, f"{text} {next(replays)}", *others, **options)

    monkeypatch.setattr(stretches, "run_in_stretches", numbered)
    whole = history("chat/one-turn")
    corpus = [whole, whole.prefix(boundaries(whole.event_types)[-1]), whole]

    found = [replayed.drift async for replayed in replay_histories(corpus, CHAT.replayer)]

    assert [str(drift[0]) for drift in found] == [
        f'model call 1: input[0].content changed: "Hi" → "Hi {number}"' for number in (1, 2, 3)
    ]
