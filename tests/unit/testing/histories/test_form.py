"""What is no history, or one that was damaged, is told where it is read: at which event, and what is wrong there."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durable_loop.errors import SettingsError
from durable_loop.testing import RecordedHistory, digest
from tests.requirements import requirement
from tests.unit.testing.histories.samples import encoded, event_of, history

Content = dict[str, Any]


def damaged(damage: Callable[[Content], object]) -> Content:
    """Return a history to which something was done."""
    content = copy.deepcopy(dict(history().as_json()))
    damage(content)
    return content


def whole(**fields: Any) -> Callable[[Content], object]:
    """Have what stands around the events be something else."""
    return lambda content: content.update(fields)


def lost(place: int) -> Callable[[Content], object]:
    """Lose an event."""
    return lambda content: content["events"].pop(place - 1)


def changed(number: int, **attributes: Any) -> Callable[[Content], object]:
    """Have an event say something else."""
    return lambda content: event_of(content, number).update(attributes)


def renamed(number: int, **fields: Any) -> Callable[[Content], object]:
    """Have what stands around an event's attributes be something else."""
    return lambda content: content["events"][number - 1].update(fields)


def without(number: int, *path: str) -> Callable[[Content], object]:
    """Take a field out of an event."""

    def take_out(content: Content) -> None:
        *above, last = path
        part: Any = content["events"][number - 1]
        for name in above:
            part = part[name]
        del part[last]

    return take_out


def with_data(data: str | None) -> Content:
    """Return a payload that calls itself JSON."""
    return {"payloads": [{**encoded(1)["payloads"][0], "data": data}]}


SCHEDULED = next(
    number for number, kind in enumerate(history().event_types, start=1) if kind.endswith("ACTIVITY_TASK_SCHEDULED")
)
FIELD = "activityTaskScheduledEventAttributes"
ACCEPTED = next(number for number, kind in enumerate(history().event_types, start=1) if kind.endswith("ACCEPTED"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (whole(events=None), "it has no events"),
        (whole(events=[]), "it has no events"),
        (whole(events={"1": {}}), "it has no events"),
        (whole(workflowId=3), "its workflowId is no text"),
        (whole(events=["x"]), "event 1 is no object"),
        (lost(7), 'event 7 has the eventId "8": they are "1", "2", … without gaps'),
        (renamed(7, eventId="zz"), 'event 7 has the eventId "zz": they are'),
        (renamed(7, eventId=7), "event 7 has the eventId 7: they are"),
        (without(7, "eventId"), "event 7 has the eventId null: they are"),
        (
            renamed(7, eventType="EVENT_TYPE_TEA"),
            'event 7 has the eventType "EVENT_TYPE_TEA", and no EVENT_TYPE_… of Temporal',
        ),
        (renamed(7, eventType=["x"]), 'event 7 has the eventType ["x"], and no EVENT_TYPE_… of Temporal'),
        (without(1, "eventType"), "event 1 has the eventType null, and no"),
        (without(7, "eventTime"), "event 7 has no eventTime"),
        (without(SCHEDULED, FIELD), f"event {SCHEDULED} has no {FIELD}, though it is an EVENT_TYPE_ACTIVITY_TASK_S"),
        (renamed(SCHEDULED, **{FIELD: None}), f"event {SCHEDULED} has no {FIELD}"),
        (changed(SCHEDULED, input="x"), f'event {SCHEDULED} has "x" in its input, which is no object'),
        (
            changed(SCHEDULED, input={"payloads": ["x"]}),
            f'event {SCHEDULED} has "x" in its payloads, which is no object',
        ),
        (changed(SCHEDULED, header={"fields": {"a": "x"}}), f'event {SCHEDULED} has "x" in its fields, which is no'),
        (changed(SCHEDULED, activityType=[]), f"event {SCHEDULED} has [] in its activityType, which is no object"),
        (changed(SCHEDULED, input="x" * 100), f'event {SCHEDULED} has "{"x" * 59}… in its input, which is no object'),
        (changed(SCHEDULED, input=3), f"event {SCHEDULED} cannot be read: "),
        (changed(SCHEDULED, input={"payloads": "x"}), f"event {SCHEDULED} cannot be read: "),
        (changed(SCHEDULED, header={"fields": "x"}), f"event {SCHEDULED} cannot be read: "),
        (renamed(SCHEDULED, eventTime="noon"), f"event {SCHEDULED} cannot be read: "),
        (without(SCHEDULED, FIELD, "activityType"), f"event {SCHEDULED} has no activityType.name in its {FIELD}"),
        (
            without(1, "workflowExecutionStartedEventAttributes", "originalExecutionRunId"),
            "event 1 has no originalExecutionRunId in its workflowExecutionStartedEventAttributes",
        ),
        (
            without(ACCEPTED, "workflowExecutionUpdateAcceptedEventAttributes", "acceptedRequest", "meta"),
            f"event {ACCEPTED} has no acceptedRequest.meta.updateId in its workflowExecutionUpdateAcceptedEvent",
        ),
        (
            without(ACCEPTED, "workflowExecutionUpdateAcceptedEventAttributes", "acceptedRequest"),
            f"event {ACCEPTED} has no acceptedRequest.meta.updateId in its workflowExecutionUpdateAcceptedEvent",
        ),
        (changed(SCHEDULED, input=with_data("!!!")), f"event {SCHEDULED} has a payload that cannot be decoded: "),
        (changed(SCHEDULED, input=with_data("e30")), f"event {SCHEDULED} has a payload that cannot be decoded: "),
        (changed(SCHEDULED, input=with_data("fQ==")), f"event {SCHEDULED} has a payload that cannot be decoded: "),
        (changed(SCHEDULED, input=with_data("")), f"event {SCHEDULED} has a payload that cannot be decoded: "),
        (changed(SCHEDULED, input=with_data(None)), f"event {SCHEDULED} has a payload that cannot be decoded: "),
        (
            renamed(SCHEDULED, userMetadata={"summary": with_data("!!!")["payloads"][0]}),
            f"event {SCHEDULED} has a payload that cannot be decoded: ",
        ),
    ],
)
@requirement("harness.form")
def test_a_damaged_history_is_told_with_its_event(
    tmp_path: Path, damage: Callable[[Content], object], words: str
) -> None:
    """It is not taken for one that does not replay: no command of anybody's is in the wrong place. (ours)"""
    file = tmp_path / "damaged.json"
    file.write_text(json.dumps(damaged(damage)))

    with pytest.raises(SettingsError) as refused:
        RecordedHistory.read(file)
    assert str(refused.value).startswith(f"{file} is no workflow history: {words}")


def test_a_history_begins_with_the_start_of_its_workflow(tmp_path: Path) -> None:
    """The end of a history alone is none. (ours)"""
    file = tmp_path / "damaged.json"
    first = {**history().events[1], "eventId": "1"}
    file.write_text(json.dumps({"events": [first]}))

    with pytest.raises(SettingsError, match="is no workflow history: event 1 is not the start of a workflow"):
        RecordedHistory.read(file)


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"events": 3}', "[" * 100_000])
def test_what_is_no_json_of_a_history_at_all_is_told(tmp_path: Path, content: str) -> None:
    """In words, whatever it is. (ours)"""
    file = tmp_path / "damaged.json"
    file.write_text(content)

    with pytest.raises(SettingsError, match="is no workflow history: "):
        RecordedHistory.read(file)


@pytest.mark.parametrize("name", ["chat/one-turn", "it/session"])
def test_a_history_is_well_formed_wherever_it_ends(tmp_path: Path, name: str) -> None:
    """As that of an open workflow does; the stored ones are read whole by other tests. (Temporal)"""
    whole = history(name)
    for length in range(1, len(whole.events) + 1):
        (tmp_path / "some.json").write_text(json.dumps(whole.prefix(length).as_json()))
        assert len(RecordedHistory.read(tmp_path / "some.json").events) == length


def test_a_payload_need_not_say_how_it_is_encoded(tmp_path: Path) -> None:
    """A header is whatever somebody's interceptor wrote. (Temporal)"""
    content = damaged(changed(SCHEDULED, header={"fields": {"trace": {"data": "/w=="}}}))
    (tmp_path / "some.json").write_text(json.dumps(content))

    assert RecordedHistory.read(tmp_path / "some.json").attributes("activityTaskScheduled")


def test_an_accepted_update_may_have_its_request_in_an_earlier_event(tmp_path: Path) -> None:
    """The server leaves it out where it had admitted the update before. (Temporal)"""
    field = "workflowExecutionUpdateAcceptedEventAttributes"
    content = damaged(without(ACCEPTED, field, "acceptedRequest"))
    content["events"][ACCEPTED - 2] = {
        "eventId": str(ACCEPTED - 1),
        "eventTime": "2026-01-02T03:04:05Z",
        "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED",
        "workflowExecutionUpdateAdmittedEventAttributes": {},
    }
    file = tmp_path / "admitted.json"
    file.write_text(json.dumps(content))

    assert len(RecordedHistory.read(file).events) == len(history().events)


def test_what_is_null_is_not_there(tmp_path: Path) -> None:
    """Some programs write all fields. (Temporal)"""
    started = "activityTaskStartedEventAttributes"
    number = next(int(event["eventId"]) for event in history().events if started in event)
    file = tmp_path / "null.json"
    content = damaged(changed(SCHEDULED, input={"payloads": None}))
    changed(number, attempt=None)(content)
    file.write_text(json.dumps(content))

    shown, before = (digest(each).splitlines() for each in (RecordedHistory.read(file), history()))
    assert before[SCHEDULED].startswith(shown[SCHEDULED])
    assert shown[number] == before[number]
