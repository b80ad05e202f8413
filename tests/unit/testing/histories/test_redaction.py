"""A redacted history tells nothing of what was said, and leaves readable what it needs to replay."""

import base64
import json
from collections.abc import Callable, Collection
from typing import Any

import pytest

from durable_loop.testing import RecordedHistory, digest
from durable_loop.testing.histories.pulling import file_name
from durable_loop.testing.histories.redaction import redacted, redacted_to_replay
from tests.requirements import requirement
from tests.unit.testing.histories.samples import encoded

RUN = "01234567-89ab-4def-8123-456789abcdef"


def story(*events: dict[str, Any], workflow_id: str = "order-1", **started: Any) -> RecordedHistory:
    """Return a history of these events behind its first one."""
    first = {"workflowType": {"name": "Order"}, "originalExecutionRunId": RUN, **started}
    numbered = [
        {"eventId": str(number), "eventType": "EVENT_TYPE_X", **event} for number, event in enumerate(events, start=2)
    ]
    return RecordedHistory(
        workflow_id,
        {
            "events": [
                {
                    "eventId": "1",
                    "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
                    "workflowExecutionStartedEventAttributes": first,
                },
                *numbered,
            ]
        },
    )


def covered(*values: Any, readable: Collection[str] = ()) -> list[Any]:
    """Return what is left of the input of a workflow."""
    return inputs(redacted(story(input=encoded(*values)), readable))


def inputs(recorded: RecordedHistory) -> list[Any]:
    """Return the input of a workflow."""
    payloads = recorded.attributes("workflowExecutionStarted")[0]["input"]["payloads"]
    return [json.loads(base64.b64decode(payload["data"])) for payload in payloads]


def in_bytes(data: bytes, encoding: str) -> dict[str, Any]:
    """Return a payload that is no JSON."""
    return {
        "metadata": {"encoding": base64.b64encode(encoding.encode()).decode()},
        "data": base64.b64encode(data).decode(),
    }


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("2026-01-02 10:00 I am Alice, card 4111", "xxxxxxxxxx xxxxx x xx xxxxxx xxxx xxxx"),
        (" Pmy", "xxx1"),
        ("PTSD", "xxx1"),
        ("Größe 3 \U0001f600", "xxxxx x x"),
        ("2026-01-02T10:11:12.5+02:00", "2000-01-01T00:00:00+02:00"),
        ("2026-01-02 10:11", "2000-01-01 00:00:00"),
        ("1984-03-07", "2000-01-01"),
        ("P3DT4H30M", "P1DT1H10M"),
        ("483920", "100000"),
        ("-12.75", "-10.00"),
        (4111111111111111, 1000000000000000),
        (0.0532, 0.01),
        (-7, -1),
        (0, 0),
        ([True, None, "", " "], [True, None, "", " "]),
        ("[4111111111111111]", "[1000000000000000]"),
        ("6f9619ff-8b86-4011-b42d-00cf4fc964ff", "00000000-0000-4000-8000-000000000001"),
        (f"durable-loop/model-input:3/1/{'5' * 64}", f"durable-loop/model-input:3/1/{'0' * 64}"),
        (
            {"name": "Alice", "code": "483920", "key": "sekret", "default": "Bob", "source": "carol@x.org"},
            {"name": "xxxx2", "code": "100000", "key": "xxxxx3", "default": "xx1", "source": "xxxxxxxxxx4"},
        ),
        ({"Alice Smith": 1, "alice": {"Bob": 2}}, {"xxxxxxxxxx3": 1, "xxxx2": {"xx1": 1}}),
        ({"arguments": '{"Bob": [1, "two"]}'}, {"arguments": '{"xx1": [1, "xx2"]}'}),
    ],
)
@requirement("harness.pull")
def test_whatever_its_field_is_called_a_value_is_covered(said: Any, left: Any) -> None:
    """Texts, numbers, times, keys that are data; their forms stay, as far as a type may ask for them. (ours)"""
    assert covered(said) == [left]


def test_the_same_text_has_the_same_cover_and_an_id_that_is_made_of_others_is_made_of_theirs() -> None:
    """What compares or derives them goes on; what is next to them is covered as well. (ours)"""
    assert covered("turn-ab", ["turn-ab", "turn-ab/1", "turn-ac", "turn-ab/2/33", "turn-ab/333", "turn-ab/x"]) == [
        "xxxxxx1",
        ["xxxxxx1", "xxxxxx1/1", "xxxxxx2", "xxxxxx1/2/33", "xxxxxxxxxx5", "xxxxxxxx4"],
    ]


def test_words_of_the_protocols_and_names_of_the_code_stay() -> None:
    """Types of items, names of activities, fields that a schema of a tool declares. (ours)"""
    scheduled = {"activityTaskScheduledEventAttributes": {"activityType": {"name": "book"}, "activityId": "7"}}
    call = {"type": "function_call", "role": "assistant", "name": "book", "arguments": '{"seat_no": "12A"}'}
    schema = {"parameters": {"type": "object", "properties": {"seat_no": {"type": "string"}}, "required": ["seat_no"]}}

    left = redacted(story(scheduled, input=encoded(call, schema)))

    assert inputs(left) == [{**call, "arguments": '{"seat_no": "xx1"}'}, schema]
    assert left.activities() == ["book"]
    assert left.attributes("activityTaskScheduled")[0]["activityId"] == "7"


@requirement("harness.pull")
def test_what_stands_outside_of_arguments_is_covered_too() -> None:
    """Reasons, causes, messages, memos, headers, search attributes, summaries, bytes. (ours)"""
    (payload,) = encoded("Alice Smith")["payloads"]
    failure: dict[str, Any] = {
        "message": "Alice Smith",
        "source": "PythonSDK",
        "applicationFailureInfo": {"type": "CardError"},
    }
    failure["cause"] = {"message": "of Alice", "applicationFailureInfo": {"details": {"payloads": [payload]}}}
    text, message = in_bytes(b"Alice", "binary/plain"), in_bytes(b"\x0a\x05Alice", "binary/protobuf")
    events: list[dict[str, Any]] = [
        {"workflowExecutionTerminatedEventAttributes": {"reason": "4711", "details": {"payloads": [text, message]}}},
        {"workflowExecutionCancelRequestedEventAttributes": {"cause": "Alice"}},
        {"workflowTaskFailedEventAttributes": {"cause": "WORKFLOW_TASK_FAILED_CAUSE_X", "failure": failure}},
        {
            "timerStartedEventAttributes": {"timerId": "3", "startToFireTimeout": "10s"},
            "eventTime": "2026-01-02T10:00:00Z",
            "userMetadata": {"summary": payload, "details": payload},
        },
        {"activityTaskScheduledEventAttributes": {"activityType": {"name": "pay"}, "activityId": "pay-Alice"}},
    ]
    fields = {"of": payload}

    left = redacted(
        story(*events, memo={"fields": fields}, header={"fields": fields}, searchAttributes={"indexedFields": fields})
    )

    shown = json.dumps([left.as_json(), digest(left)])
    assert not [said for said in ("Alice", "Smith", "4711", payload["data"], text["data"]) if said in shown]
    terminated, _, failed, timer, scheduled = left.events[1:]
    payloads = terminated["workflowExecutionTerminatedEventAttributes"]["details"]["payloads"]
    assert [base64.b64decode(each["data"]) for each in payloads] == [b"xxxxx", b""]
    failed = failed["workflowTaskFailedEventAttributes"]
    assert (failed["cause"], failed["failure"]["source"]) == ("WORKFLOW_TASK_FAILED_CAUSE_X", "PythonSDK")
    assert failed["failure"]["applicationFailureInfo"] == {"type": "CardError"}
    assert timer["timerStartedEventAttributes"] == events[3]["timerStartedEventAttributes"]
    assert timer["eventTime"] == "2026-01-02T10:00:00Z"
    assert scheduled["activityTaskScheduledEventAttributes"]["activityId"].startswith("pay-xxx")


@requirement("harness.pull")
def test_a_workflow_id_is_covered_in_all_places_and_its_children_have_ids_made_of_the_covers() -> None:
    """Its cover is made of the first run's id: all runs have the same. (ours)"""
    child = {"workflowId": "alice@example.com/carol", "workflowType": {"name": "Parcel"}}
    events: list[dict[str, Any]] = [
        {"startChildWorkflowExecutionInitiatedEventAttributes": child},
        {"childWorkflowExecutionStartedEventAttributes": {"workflowExecution": {"workflowId": child["workflowId"]}}},
        {"signalExternalWorkflowExecutionInitiatedEventAttributes": {"workflowExecution": {"workflowId": "bob"}}},
    ]

    left = redacted(
        story(
            *events,
            workflow_id="alice@example.com",
            workflowId="alice@example.com",
            parentWorkflowExecution={"workflowId": "dave", "runId": RUN},
            input=encoded("carol", "alice@example.com"),
            firstExecutionRunId="fedcba98-89ab-4def-8123-456789abcdef",
        )
    )

    (started,) = left.attributes("workflowExecutionStarted")
    (initiated,) = left.attributes("startChildWorkflowExecutionInitiated")
    (begun,) = left.attributes("childWorkflowExecutionStarted")
    assert left.workflow_id == started["workflowId"] == inputs(left)[1] == "workflow-fedcba9889ab"
    assert initiated["workflowId"] == f"workflow-fedcba9889ab/{inputs(left)[0]}"
    assert begun["workflowExecution"]["workflowId"] == initiated["workflowId"]
    assert str(file_name(left)) == f"workflow-fedcba9889ab.{RUN}.json"
    assert not [name for name in ("alice", "bob", "carol", "dave") if name in json.dumps(left.as_json())]


@pytest.mark.parametrize(
    "name", ["ALICE_SMITH", "4711", "2026-01-02T10:00:00Z", "assistant", "6f9619ff-8b86-4011-b42d-00cf4fc964ff"]
)
def test_an_id_that_looks_like_something_else_is_covered_all_the_same(name: str) -> None:
    """Somebody chose it. (ours)"""
    update = {"workflowExecutionUpdateCompletedEventAttributes": {"meta": {"updateId": name}}}
    reason = {"workflowExecutionTerminatedEventAttributes": {"reason": name}}

    for workflow_id in (name, "order-1"):
        assert name not in json.dumps(
            redacted(story(update, reason, workflow_id=workflow_id, workflowId=name)).as_json()
        )


def test_what_temporal_notes_in_markers_stays() -> None:
    """Which patch it was, which local activity; not what that gave. (Temporal)"""
    data, result = encoded({"id": "faster", "activity_type": "look"}), encoded("Alice")
    patch = {"markerRecordedEventAttributes": {"markerName": "core_patch", "details": {"patch-data": data}}}
    local: dict[str, Any] = {"markerName": "core_local_activity", "details": {"data": data, "result": result}}

    first, second = redacted(story(patch, {"markerRecordedEventAttributes": local})).attributes("markerRecorded")

    assert first == patch["markerRecordedEventAttributes"]
    assert second["details"] == {"data": data, "result": encoded("xxxx2")}


def test_a_field_that_is_readable_keeps_words_and_small_numbers() -> None:
    """No sentence, no address, no long number; the word stays elsewhere too, since one may be compared. (ours)"""
    said = {"kind": ["card", "by card", "a@b.c", 999999, 1000001, "41", "4111111"], "model": {"kind": ["card", "cash"]}}

    assert covered(said, readable=["kind"]) == [
        {"kind": ["card", "xx xxxx", "xxxx4", 999999, 1000000, "41", "1000000"], "model": {"kind": ["card", "xxx3"]}}
    ]
    assert covered({"model": {"Alice": 5, "Bob Lee": 5}}, readable=["model"]) == [{"model": {"Alice": 1, "xxxxxx1": 1}}]


def steered_by(*fields: str) -> Callable[[RecordedHistory], Any]:
    """Return what replays a history as long as these fields are readable; `asked` counts its replays."""

    async def replays(covered: RecordedHistory) -> bool:
        asked.append(covered)
        (value,) = inputs(covered)
        return all(value[field] == f"of-{field}" for field in fields)

    asked: list[RecordedHistory] = []
    replays.asked = asked  # type: ignore[attr-defined]
    return replays


FIELDS = ("name", "model", "kind", "status", "tool", "text", "role", "id")


@pytest.mark.parametrize("needed", [(), ("kind",), ("id", "name"), ("kind", "status", "tool"), FIELDS])
@requirement("harness.pull")
async def test_no_more_fields_are_readable_than_a_replay_needs(needed: tuple[str, ...]) -> None:
    """The replay says which. (ours)"""
    steered = story(input=encoded({field: f"of-{field}" for field in FIELDS}))

    found = await redacted_to_replay(steered, steered_by(*needed))

    assert found is not None
    assert found.readable == sorted(needed)
    (value,) = inputs(found.history)
    assert {field for field in FIELDS if value[field] == f"of-{field}"} == set(needed)


async def test_fields_that_others_needed_are_asked_about_first() -> None:
    """Where they do, they are reduced to those that are needed here. (ours)"""
    steered = story(input=encoded({field: f"of-{field}" for field in FIELDS}))
    replays = steered_by("kind")

    found = await redacted_to_replay(steered, replays, known=["kind"])

    assert found is not None
    assert found.readable == ["kind"]
    assert len(replays.asked) == 2  # type: ignore[attr-defined]


def test_an_id_that_is_made_of_a_readable_word_is_readable_and_so_are_those_outside() -> None:
    """What derives it goes on. (ours)"""
    update = {"workflowExecutionUpdateCompletedEventAttributes": {"meta": {"updateId": "turn-1"}}}

    left = redacted(story(update, input=encoded({"turn_id": "turn-1"}, "turn-1/2", "turn-1/Ada")), ["turn_id"])

    assert inputs(left) == [{"turn_id": "turn-1"}, "turn-1/2", "xxxxxxxxx3"]
    assert left.attributes("workflowExecutionUpdateCompleted")[0]["meta"]["updateId"] == "turn-1"


async def test_what_steers_by_sentences_is_not_kept() -> None:
    """Nothing that may be readable lets it replay. (ours)"""
    assert await redacted_to_replay(story(input=encoded({"text": "of text"})), steered_by("text")) is None
