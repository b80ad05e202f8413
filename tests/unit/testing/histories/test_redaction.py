"""A redacted history tells nothing of what was said."""

import json

from durable_loop.testing import RecordedHistory, digest
from durable_loop.testing.histories.redaction import redacted
from durable_loop.testing.histories.sendings import sendings_in
from tests.requirements import requirement
from tests.unit.testing.histories.samples import STORE, encoded, history

SAID = ("15 * 23", "AAPL", "DEMO-123", "Hello", "16,288.95", "Ada", "172.16.0.1", "You are a helpful assistant")


@requirement("harness.pull")
def test_nothing_that_was_said_is_left() -> None:
    """Whatever history it is. (ours)"""
    for entry in STORE.entries():
        text = digest(redacted(STORE.read(entry))) + json.dumps(
            [s.values for s in sendings_in(redacted(STORE.read(entry)))]
        )
        assert not [word for word in SAID if word in text], entry.id


def test_what_steers_the_workflow_stays() -> None:
    """Names of tools, ids of calls and turns, numbers and times; texts keep their lengths. (ours)"""
    covered = redacted(history())

    assert covered.event_types == history().event_types
    assert covered.activities() == history().activities()
    (*_, answered) = sendings_in(covered)
    assert answered.values == [{"turn_id": "turn-1", "text": "000.", "notes": []}]
    assert [s.values for s in sendings_in(covered) if s.name == "calculator"] == [[{"expression": "00 * 00"}]]


def test_json_within_json_stays_json() -> None:
    """The arguments of a tool call are a text that a workflow parses. (ours)"""
    plan = {"arguments": '{"city": "Oslo", "days": [1, "two"]}', "name": "fly"}
    scheduled = {"activityType": {"name": "plan"}, "input": encoded(plan)}

    told = redacted(RecordedHistory("x", {"events": [{"activityTaskScheduledEventAttributes": scheduled}]}))

    assert sendings_in(told)[0].values == [{"arguments": '{"city": "xxxx", "days": [1, "xxx"]}', "name": "fly"}]


def test_the_messages_of_failures_are_covered() -> None:
    """They may quote what was said; their types stay. (ours)"""
    text = json.dumps(redacted(history("chat/failed-turn")).as_json())

    assert "no such model" not in text
    assert "TurnFailedError" in text
