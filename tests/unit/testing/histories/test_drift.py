"""Drift in words: what was sent, what would be sent now."""

from dataclasses import replace

import pytest

from durable_loop.testing.histories.drift import differences, drift_sha256, in_words
from durable_loop.testing.histories.json_differences import ABSENT, as_words, json_differences
from durable_loop.testing.histories.model_inputs import named_in
from durable_loop.testing.histories.sendings import Sending, SendingKind, sendings_in
from tests.unit.testing.histories.samples import STORE, changed, encoded, history


def activity(name: str, *values: object) -> Sending:
    """Return an activity that is sent."""
    return Sending(SendingKind.ACTIVITY, name, values)


def model_call(**fields: object) -> Sending:
    """Return a model call, of which only some fields are told."""
    return activity("invoke_model_activity", {"system_instructions": "Be brief.", "tools": [], "input": [], **fields})


@pytest.mark.parametrize("entry", STORE.entries(), ids=lambda entry: entry.id)
def test_what_is_sent_as_it_was_is_no_drift(entry: object) -> None:
    """Whatever is in a history. (ours)"""
    sent = sendings_in(STORE.read(entry))  # pyright: ignore[reportArgumentType]

    assert differences(sent, sent) == []


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (activity("add", {"a": 1}), activity("add", {"a": 2}), "activity add (1): argument a changed: 1 → 2"),
        (activity("add", 1, 2), activity("add", 1, 3), "activity add (1): argument [1] changed: 2 → 3"),
        (activity("add", {"a": 1}), activity("add", {}), "activity add (1): argument a changed: gone: 1"),
        (activity("add", {"a": True}), activity("add", {"a": 1}), "activity add (1): argument a changed: true → 1"),
        (
            Sending(SendingKind.UPDATE, "turn-1", [{"text": "Hi"}]),
            Sending(SendingKind.UPDATE, "turn-1", [{"failure": "no", "type": "X"}]),
            """\
update turn-1: result text changed: gone: "Hi"
update turn-1: result failure changed: new: "no"
update turn-1: result type changed: new: "X\"""",
        ),
        (
            Sending(SendingKind.NEXT_RUN, "Chat", [{"carried": [1]}]),
            Sending(SendingKind.NEXT_RUN, "Chat", [{"carried": [1, 2]}]),
            "next run: argument carried[1] changed: new: 2",
        ),
        (
            Sending(SendingKind.SIGNAL, "poke", ["a"]),
            Sending(SendingKind.SIGNAL, "poke", ["b"]),
            'signal poke (1): argument changed: "a" → "b"',
        ),
        (
            Sending(SendingKind.CHILD, "Child", ["a"]),
            Sending(SendingKind.CHILD, "Child", ["b"]),
            'child workflow Child (1): argument changed: "a" → "b"',
        ),
        (
            model_call(),
            model_call(system_instructions="Be brief.\nBe kind."),
            """\
model call 1: instructions changed:
    --- recorded
    +++ now
    @@ -1 +1,2 @@
     Be brief.
    +Be kind.""",
        ),
        (
            model_call(model_settings={"temperature": 0.1, "stop": ["a"]}, roles=["a"]),
            model_call(model_settings={"temperature": 0.2, "stop": ["b"]}, roles=["b"]),
            """\
model call 1: model_settings.temperature changed: 0.1 → 0.2
model call 1: model_settings.stop[0] changed: "a" → "b"
model call 1: roles[0] changed: "a" → "b\"""",
        ),
        (
            model_call(tools=[{"name": "add", "description": "Add."}]),
            model_call(tools=[{"name": "add", "description": "Sum."}]),
            'model call 1: tool add: description changed: "Add." → "Sum."',
        ),
        (
            model_call(tools=[{"name": "add"}, {"name": "sub"}]),
            model_call(tools=[{"name": "sub"}, {"name": "add"}]),
            'model call 1: order of the tools changed: ["add", "sub"] → ["sub", "add"]',
        ),
        (
            model_call(handoffs=[{"tool_name": "to_ada", "agent_name": "Ada"}]),
            model_call(handoffs=[]),
            'model call 1: handoff to_ada changed: gone: {"agent_name": "Ada"}',
        ),
        (
            model_call(input=[{"role": "user", "content": "Hi"}]),
            model_call(input=[{"role": "user", "content": "Hi!"}]),
            'model call 1: input[0].content changed: "Hi" → "Hi!"',
        ),
    ],
)
def test_each_difference_is_said_in_words(before: Sending, now: Sending, words: str) -> None:
    """Where, what, from what to what. (ours)"""
    assert in_words(differences([before], [now])) == words
    assert "\n".join(map(str, differences([before], [now]))) == words


def test_ids_of_spans_and_the_order_of_keys_are_no_drift() -> None:
    """A model does not see them. (ours)"""
    before = model_call(tracing={"span": 1}, model_settings={"a": 1, "b": 2})

    assert differences([before], [model_call(tracing={"span": 2}, model_settings={"b": 2, "a": 1})]) == []


def test_a_difference_at_many_places_is_told_once() -> None:
    """With the first place, and how many more there are. (ours)"""
    before, now = [model_call()] * 3, [model_call(model_name="other")] * 3

    assert in_words(differences(before, now)) == 'model call 1 and 2 more: model changed: null → "other"'


def test_two_that_became_the_same_are_two_differences() -> None:
    """What they were before is told of each. (ours)"""
    before, now = [activity("add", 1), activity("add", 2)], [activity("add", 3)] * 2

    assert in_words(differences(before, now)) == (
        "activity add (1): argument changed: 1 → 3\nactivity add (2): argument changed: 2 → 3"
    )
    assert drift_sha256(differences(before[:1], now)) != drift_sha256(differences(before[1:], now))


def test_a_drift_is_the_same_in_whatever_order_its_keys_are() -> None:
    """Nothing else can be told of it. (ours)"""
    one = differences([activity("add", [])], [activity("add", [{"a": 1, "b": 2}])])
    other = differences([activity("add", [])], [activity("add", [{"b": 2, "a": 1}])])

    assert drift_sha256(one) == drift_sha256(other)


def test_what_comes_after_the_end_of_a_history_is_not_compared() -> None:
    """Nor what was sent and taken back at once, which no history holds. (ours)"""
    now = [activity("withdrawn", 1), activity("add", 1), activity("add", 2)]

    assert differences([activity("add", 1)], now) == []


def test_the_second_of_a_name_is_called_the_second() -> None:
    """And whatever its kind, it is found after an update that nobody answers now. (ours)"""
    before = [activity("add", 1), activity("add", 2), *(Sending(SendingKind.UPDATE, name, [1]) for name in "ab")]
    ended = Sending(SendingKind.RESULT, "", [1])
    now = [activity("add", 1), activity("add", 3), Sending(SendingKind.UPDATE, "b", [2])]

    assert in_words(differences([*before, ended], [*now, replace(ended, values=[4])])) == (
        "activity add (2): argument changed: 2 → 3\nupdate b: result changed: 1 → 2\nresult: result changed: 1 → 4"
    )


def test_the_one_that_differs_among_hundreds_of_a_name_is_found() -> None:
    """However often a name is there. (ours)"""
    now = [activity("sub", 0), *(activity("add", number) for number in range(300)), activity("sub", 1)]
    before = [*now[1:200], activity("add", -1), *now[201:]]

    assert in_words(differences(before, now)) == "activity add (200): argument changed: -1 → 199"


def test_a_name_that_is_not_there_now_hides_nothing_that_follows() -> None:
    """What comes after it is compared all the same. (ours)"""
    before = [activity("gone", 1), activity("add", 1), activity("sub", 2)]

    assert in_words(differences(before, [activity("add", 9), activity("sub", 2)])) == (
        "activity add (1): argument changed: 1 → 9"
    )


def test_an_input_that_is_only_named_is_told_as_such() -> None:
    """Its hash is another one. (ours)"""
    before = model_call(input=[{"role": "user", "content": "durable-loop/model-input:1/1/" + "a" * 64}])
    fresh = model_call(input=[{"role": "user", "content": "durable-loop/model-input:1/1/" + "b" * 64}])
    now = Sending(fresh.kind, fresh.name, fresh.values, model_input='[{"role":"user","content":"Hi"}]')

    assert in_words(differences([before], [now])).startswith("model call 1: input changed: the history holds its hash")
    told = Sending(before.kind, before.name, before.values, model_input='[{"role":"user","content":"Ho"}]')
    assert in_words(differences([told], [now])) == 'model call 1: input[0].content changed: "Ho" → "Hi"'


def test_long_values_are_cut_around_the_place_where_they_part() -> None:
    """With their length. (ours)"""
    same = "a" * 1_000

    assert as_words(same, "b") == f' "{"a" * 199}… (1,002 characters) → "b"'
    assert as_words(f"{same}old{same}", f"{same}new{same}") == (
        f" …{'a' * 60}old{'a' * 137}… (2,005 characters) → …{'a' * 60}new{'a' * 137}… (2,005 characters)"
    )


def test_a_line_end_at_the_end_is_a_difference_that_can_be_seen() -> None:
    """A text is not its lines. (ours)"""
    assert as_words("a\nb", "a\nb\n").splitlines()[-1] == "    +"


def test_a_drift_that_is_accepted_is_this_one_to_the_character() -> None:
    """However much of it is shown, and wherever it is. (ours)"""
    long = "a" * 1_000
    accepted = differences([model_call()], [model_call(system_instructions=f"{long}b{long}")])
    other = differences([model_call()], [model_call(system_instructions=f"{long}c{long}")])
    twice = differences([model_call()] * 2, [model_call(system_instructions=f"{long}b{long}")] * 2)
    gone = differences([activity("x", {"a": 1})], [activity("x", {})])
    null = differences([activity("x", {"a": 1})], [activity("x", {"a": None})])

    assert len({drift_sha256(found) for found in (accepted, other, twice, gone, null)}) == 5
    assert drift_sha256(accepted) == drift_sha256(list(accepted))


def test_what_the_provider_hosts_is_told_by_its_place() -> None:
    """It has no name. (Agents SDK)"""
    before = model_call(tools=[{"name": "add"}, {"tool_config": {"server_url": "https://a.example"}}])
    now = model_call(tools=[{"name": "add"}, {"tool_config": {"server_url": "https://b.example"}}])

    assert in_words(differences([before], [now])) == (
        'model call 1: tool number 2: tool_config.server_url changed: "https://a.example" → "https://b.example"'
    )


def test_an_activity_of_somebody_else_is_no_model_call() -> None:
    """Whatever its name ends with. (ours)"""
    name = "check_and_invoke_model_activity"

    assert in_words(differences([activity(name, "x")], [activity(name, "y")])) == (
        f'activity {name} (1): argument changed: "x" → "y"'
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SendingKind.SIGNAL, "signal x (1): workflow"),
        (SendingKind.ACTIVITY, "activity x (1): task queue"),
        (SendingKind.CHILD, "child workflow x (1): task queue"),
        (SendingKind.NEXT_RUN, "next run: task queue"),
    ],
)
def test_another_addressee_is_a_difference(kind: SendingKind, words: str) -> None:
    """Temporal's own replay does not look at it. (Temporal)"""
    sent = Sending(kind, "x", [1], to="a")

    assert in_words(differences([sent], [replace(sent, to="b")])) == f'{words} changed: "a" → "b"'
    assert in_words(differences([sent], [replace(sent, to=None)])).endswith(
        """changed: "a" → "(the workflow's own)\""""
    )


def test_a_streamed_model_call_is_a_model_call() -> None:
    """With its instructions. (Temporal)"""
    before = replace(model_call(), name="invoke_model_activity_streaming")
    now = replace(model_call(system_instructions="Be long."), name="invoke_model_activity_streaming")

    assert in_words(differences([before], [now])) == 'model call 1: instructions changed: "Be brief." → "Be long."'


def test_a_leaf_against_a_branch_is_one_difference() -> None:
    """And nothing against something. (ours)"""
    assert list(json_differences({"a": 1}, {"a": {"b": 1}})) == [("a", 1, {"b": 1})]
    assert list(json_differences([], [None])) == [("[0]", ABSENT, None)]
    assert list(json_differences({"a": None}, {})) == [("a", None, ABSENT)]


def test_what_a_chat_sends_is_read_from_its_history() -> None:
    """Activities with arguments, updates with results, in the order of the events. (ours)"""
    sent = sendings_in(history())

    assert [(sending.kind, sending.name) for sending in sent] == [
        (SendingKind.ACTIVITY, "temporalio.mcp.finance.list-tools"),
        (SendingKind.ACTIVITY, "temporalio.mcp.it.list-tools"),
        (SendingKind.ACTIVITY, "invoke_model_activity"),
        (SendingKind.ACTIVITY, "calculator"),
        (SendingKind.ACTIVITY, "invoke_model_activity"),
        (SendingKind.UPDATE, "turn-1"),
    ]
    assert sent[3].values == [{"expression": "15 * 23"}]
    assert sent[5].values == [{"turn_id": "turn-1", "text": "345.", "notes": []}]


def test_a_model_call_without_what_the_model_is_asked_is_compared_as_any_activity() -> None:
    """A history in which that was damaged has no model input. (ours)"""
    damaged = changed(history("chat/one-turn"), _first_model_call(), input=encoded(1))

    assert len(named_in(damaged)) == len(named_in(history("chat/one-turn"))) - 1
    now = sendings_in(history("chat/one-turn"))
    (found,) = differences(sendings_in(damaged), now)
    assert (found.where, found.before) == ("activity invoke_model_activity (1)", 1)


def _first_model_call() -> int:
    return next(
        int(event["eventId"])
        for event in history("chat/one-turn").events
        if "invoke_model_activity" in str(event.get("activityTaskScheduledEventAttributes"))
    )
