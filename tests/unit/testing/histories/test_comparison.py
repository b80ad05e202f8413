"""Two runs of a scenario tell the same story, or the first event that differs is named."""

import copy
import json
import re
from typing import Any

import pytest

from durable_loop.testing import RecordedHistory, first_difference
from tests.requirements import requirement
from tests.unit.testing.histories.samples import STORE, changed, encoded, history

NAMES = [entry.name for entry in STORE.entries()]


def again(recorded: RecordedHistory) -> RecordedHistory:
    """Return the history as another run would have written it: other ids, times and hashes."""
    text = json.dumps(recorded.as_json())
    text = re.sub(r"01a2[0-9a-f]{4}-", "feedbeef-", text)
    text = re.sub(r'"eventTime": "[^"]*"', '"eventTime": "2030-01-01T00:00:00Z"', text)
    return RecordedHistory(recorded.workflow_id, json.loads(text))


@pytest.mark.parametrize("name", NAMES)
def test_another_run_of_the_same_scenario_is_no_difference(name: str) -> None:
    """Ids and times are accidents. (ours)"""
    assert first_difference(history(name), again(history(name))) is None


def test_the_order_in_which_concurrent_calls_end_is_no_difference() -> None:
    """Nor is the number of workflow tasks that they end in. (ours)"""
    stored = history("chat/one-turn")
    content: dict[str, Any] = copy.deepcopy(dict(stored.as_json()))
    listed = [number for number, kind in enumerate(stored.event_types) if kind == "EVENT_TYPE_ACTIVITY_TASK_COMPLETED"]
    first, second = listed[:2]
    events = content["events"]
    events[first], events[second] = events[second], events[first]
    content["events"] = [event for event in events if "WORKFLOW_TASK" not in event["eventType"]]

    assert first_difference(stored, RecordedHistory(stored.workflow_id, content)) is None


def scheduled(recorded: RecordedHistory, activity: str) -> int:
    """Return the number of the event that schedules an activity first."""
    return next(
        int(event["eventId"])
        for event in recorded.events
        if event.get("activityTaskScheduledEventAttributes", {}).get("activityType", {}).get("name") == activity
    )


@requirement("harness.same-story")
def test_another_argument_is_found_and_both_sides_are_shown() -> None:
    """At its event. (ours)"""
    stored = history()
    number = scheduled(stored, "calculator")
    fresh = changed(stored, number, input=encoded({"expression": "15 * 24"}))

    found = first_difference(stored, fresh)

    assert found is not None
    assert found.event == number
    assert str(found).startswith(f"They differ first at event {number} of the stored history.\n  stored: activity")
    assert '"15 * 23"' in str(found.stored)
    assert '"15 * 24"' in str(found.fresh)


def test_another_activity_another_result_and_another_timer_are_found() -> None:
    """Each at the command that it belongs to. (ours)"""
    stored = history()
    number = scheduled(stored, "calculator")
    completed = next(
        int(event["eventId"])
        for event in stored.events
        if event.get("activityTaskCompletedEventAttributes", {}).get("scheduledEventId") == str(number)
    )
    timer = stored.event_types.index("EVENT_TYPE_TIMER_STARTED") + 1
    for event, fresh in (
        (number, changed(stored, number, activityType={"name": "abacus"})),
        (number, changed(stored, completed, result=encoded({"text": "another"}))),
        (timer, changed(stored, timer, startToFireTimeout="11s")),
        (1, changed(stored, 1, input=encoded({"model": "another"}))),
    ):
        found = first_difference(stored, fresh)
        assert found is not None
        assert found.event == event


def test_a_run_that_ends_early_or_goes_on_differs_where_the_other_ends() -> None:
    """One side has nothing there. (ours)"""
    stored = history("it/jira-metrics")
    number = scheduled(stored, "jira_metrics")
    shorter = stored.prefix(number - 1)

    missing, more = first_difference(stored, shorter), first_difference(shorter, stored)

    assert missing is not None
    assert (missing.event, missing.fresh) == (number, None)
    assert "fresh:  it ends" in str(missing)
    assert more is not None
    assert more.stored is None


def test_an_id_that_was_one_and_is_another_is_found() -> None:
    """Ids are numbered as they appear: the same one must stay the same one. (ours)"""
    stored = history("it/jira-metrics")
    one, other = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
    number = scheduled(stored, "jira_metrics")
    same = changed(stored, number, input=encoded({"of": one, "for": one}))
    mixed = changed(stored, number, input=encoded({"of": one, "for": other}))

    assert first_difference(same, changed(stored, number, input=encoded({"of": other, "for": other}))) is None
    assert first_difference(same, mixed) is not None


@pytest.mark.parametrize(
    ("said", "now", "same"),
    [
        ("order 123456789012", "order 123456789099", False),
        ("chat-0123456789ab", "chat-ba9876543210", True),
        ("chat-012345678901", "chat-109876543210", True),  # one id in three hundred has no letter
        ("at 2026-01-01T00:00:00Z", "at 2026-01-02T00:00:00Z", True),
    ],
)
def test_what_looks_drawn_is_an_accident_and_a_long_number_is_not(said: str, now: str, *, same: bool) -> None:
    """An order's number is what it is about. (ours)"""
    number = scheduled(history(), "calculator")
    stored, fresh = (changed(history(), number, input=encoded(text)) for text in (said, now))

    assert (first_difference(stored, fresh) is None) is same


@pytest.mark.parametrize(
    ("marker", "field", "before", "now"),
    [
        ("core_local_activity", "result", "sunny", "rain"),
        ("core_patch", "patch-data", {"id": "one", "deprecated": False}, {"id": "another", "deprecated": False}),
    ],
)
def test_what_only_a_marker_tells_is_part_of_the_story(marker: str, field: str, before: object, now: object) -> None:
    """What a local activity returned, which patch was taken. (Temporal)"""

    def told(value: object) -> RecordedHistory:
        attributes = {"markerName": marker, "details": {field: encoded(value), "other": encoded({})}}
        content = copy.deepcopy(dict(history().as_json()))
        content["events"].append(
            {"eventId": "99", "eventType": "EVENT_TYPE_MARKER_RECORDED", "markerRecordedEventAttributes": attributes}
        )
        return RecordedHistory("x", content)

    found = first_difference(told(before), told(now))

    assert found is not None
    assert (found.event, found.stored) == (99, f"marker recorded {marker} {json.dumps(before, sort_keys=True)}")
