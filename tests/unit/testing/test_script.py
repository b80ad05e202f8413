"""The script: where each step stands, and how it travels."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from durable_loop.testing import (
    Fails,
    Says,
    Script,
    ScriptError,
    call,
    calls,
    delays,
    fails,
    fails_mid_stream,
    floods,
    garbles,
    hands_off_to,
    loops,
    says,
    streams,
)
from durable_loop.testing.script import Place
from durable_loop.testing.script_file import MOST_LEVELS
from tests.requirements import requirement

FIRST, SECOND = calls("stock_price", ticker="AAPL"), says("185.50")
THIRD, FOURTH = fails("overloaded", attempts=2), says("Here.")
LAST = fails("no such model", retryable=False)
SCRIPT = Script(FIRST, SECOND, THIRD, FOURTH, LAST)


def test_a_turn_ends_with_an_answer_or_a_failure_that_lasts() -> None:
    """So each step has a turn and a number in it. (ours)"""
    assert SCRIPT.at(Place(0, 0), attempt=1) == FIRST
    assert SCRIPT.at(Place(0, 1), attempt=1) == SECOND
    assert SCRIPT.at(Place(2, 0), attempt=1) == LAST
    assert SCRIPT.at(Place(2, 1), attempt=1) is None
    assert SCRIPT.at(Place(3, 0), attempt=1) is None


def test_a_failure_with_attempts_gives_way_to_the_next_step() -> None:
    """The activity's attempt decides, so any process gives the same answer. (ours)"""
    at_the_same_place = [SCRIPT.at(Place(1, 0), attempt=attempt) for attempt in (1, 2, 3, 9)]

    assert at_the_same_place == [THIRD, THIRD, FOURTH, FOURTH]


def test_a_script_comes_back_from_its_file(tmp_path: Path) -> None:
    """A worker process reads what the test wrote. (ours)"""
    several = Script(calls(call("a"), call("b", x=[1, {"y": None}])), says("Grüße"), *SCRIPT.steps)
    several.write(tmp_path / "script.json")

    assert Script.read(tmp_path / "script.json").steps == several.steps


def test_the_steps_that_nobody_asked_for_are_named() -> None:
    """By their place and their words. (ours)"""
    unused = SCRIPT.unused({Place(0, 0): 1, Place(0, 1): 1, Place(2, 0): 1})

    assert unused == [f"turn 2, model call 1: {THIRD!r}", f"turn 2, model call 1: {FOURTH!r}"]
    assert SCRIPT.unused({Place(0, 0): 1, Place(0, 1): 1, Place(1, 0): 3, Place(2, 0): 4}) == []


def test_the_nearest_step_helps_whoever_wrote_the_script() -> None:
    """The last one at or before the place. (ours)"""
    assert SCRIPT.nearest(Place(0, 5)) == f"turn 1, model call 2: {Says(text='185.50')!r}"
    assert SCRIPT.nearest(Place(9, 0)) == f"turn 3, model call 1: {Fails(message='no such model', retryable=False)!r}"
    assert Script().nearest(Place(0, 0)) == "the script is empty"


def test_an_answer_that_no_retry_came_to_is_unused() -> None:
    """The place alone does not count: a `fails` that nobody tried again hides what comes after it. (ours)"""
    asked = {Place(0, 0): 1, Place(0, 1): 1, Place(1, 0): 2, Place(2, 0): 1}

    assert SCRIPT.unused(asked) == [f"turn 2, model call 1: {FOURTH!r}"]


def test_failures_one_after_the_other_add_up() -> None:
    """Each fails as often as it says before the next one does. (ours)"""
    script = Script(
        fails("rate", attempts=2), fails("overloaded", attempts=1), fails("gone", attempts=1), says("Here.")
    )

    answers = [script.at(Place(0, 0), attempt=attempt) for attempt in range(1, 7)]

    assert answers == [script.steps[number] for number in (0, 0, 1, 2, 3, 3)]


def test_a_failure_with_nothing_after_it_gives_way_to_nothing() -> None:
    """The next attempt is unscripted. (ours)"""
    script = Script(fails("busy", attempts=1))

    assert script.at(Place(0, 0), attempt=1) == script.steps[0]
    assert script.at(Place(0, 0), attempt=2) is None


def test_a_failure_that_never_happens_is_a_mistake_in_the_script() -> None:
    """`attempts=0` would be a step without a purpose. (ours)"""
    with pytest.raises(ValueError, match="attempts"):
        fails("busy", attempts=0)


EVERY = Script(
    calls(call("a"), call("b", x=[1, {"y": None}])),
    garbles("a", "{"),
    says("Grüße"),
    streams("Hel", "lo"),
    delays(1.5),
    fails("slow down", attempts=1, retry_after=2),
    fails_mid_stream("gone", after="Hel", attempts=1),
    hands_off_to("Refund agent"),
    floods(100),
    loops("a", x=1),
    fails("no such model", retryable=False, error_type="NotFoundError"),
    summary=says("They counted."),
    models={"mini": Script(says("Small."))},
)


@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
@requirement("harness.script-files")
def test_every_step_comes_back_from_a_file_of_either_kind(tmp_path: Path, suffix: str) -> None:
    """With the summary, and the scripts of other models. (ours)"""
    file = tmp_path / f"script.{suffix}"
    EVERY.write(file)

    read = Script.read(file)

    assert (read.steps, read.summary) == (EVERY.steps, EVERY.summary)
    assert read.models["mini"].steps == EVERY.models["mini"].steps


def test_a_script_is_written_by_hand_in_a_line_for_each_step(tmp_path: Path) -> None:
    """As a list, in YAML. (ours)"""
    file = tmp_path / "script.yaml"
    file.write_text(
        "- calls: {tool: stock_price, arguments: {ticker: AAPL}}\n"
        "- says: It is at 185.50.\n"
        "- delays: 2.5\n"
        "- fails: {message: overloaded, attempts: 2}\n"
        "- says: {text: Hello, pieces: [Hel, lo]}\n"
        "- loops: {tool: track_ip}\n"
    )

    assert Script.read(file).steps == (
        calls("stock_price", ticker="AAPL"),
        says("It is at 185.50."),
        delays(2.5),
        fails("overloaded", attempts=2),
        streams("Hel", "lo"),
        loops("track_ip"),
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.json", '[{"sings": "la"}]', "steps.0.sings: Extra inputs are not permitted\nA step is one of: says: TEXT"),
        ("x.json", '[{"says": "a", "delays": 1}]', "steps.0: Value error, one word each"),
        ("x.json", '[{"fails": {"message": "a", "attempts": 0}}]', "steps.0.fails.attempts: Input should be greater"),
        ("x.json", '[{"calls": []}]', "steps.0.calls.calls: Tuple should have at least 1 item"),
        ("x.json", '[{"says": {"text": "a", "pieces": ["b"]}}]', "the pieces do not come to the text"),
        ("x.json", '{"steps": [], "summary": {"delays": 1}}', "a summary says or fails"),
        ("x.json", "[", "x.json is no JSON: "),
        ("x.yaml", "[", "x.yaml is no YAML: "),
        ("x.yaml", "- says: [1]", "steps.0.says: a list or mapping of this kind does not go here"),
        ("x.yaml", "- says: 42", "steps.0.says: 42 does not go here; a text that looks like a number stands in quotes"),
        ("x.yaml", "- delays: yes", "steps.0.delays: true does not go here"),
        ("x.yaml", "- floods: no", "steps.0.floods: false does not go here"),
        ("x.yaml", "Hello.", "the file: the text 'Hello.' does not go here"),
        ("x.yaml", "", "the file: there is nothing here\nA step is one of"),
        (
            "x.yaml",
            "- says: a\n- says: 2026-01-01",
            'is a date in YAML, and scripts have none: write it in quotes, "20',
        ),
        ("x.yaml", "- says: a\n- says: 2026-01-01", 'in "x.yaml", line 2, column 9'),
        ("x.yaml", "- says: 2026-13-45", "2026-13-45 is a date in YAML"),
        ("x.yaml", "- calls: {tool: a, arguments: {day: 2026-01-01 10:00:00}}", "2026-01-01 10:00:00 is a date"),
        ("x.yaml", "- calls: {tool: a, arguments: {on: x}}", 'the key on is no text: write it in quotes, "on"'),
        ("x.yaml", "- {1: x}", "the key 1 is no text"),
        ("x.yaml", "steps: []\nmodels: {7: []}", "the key 7 is no text"),
        ("x.yaml", "- {[a]: x}", "x.yaml cannot be used: "),
        ("x.yaml", "- calls: {tool: a, arguments: {x: !!set {b}}}", "scripts have no set: write text, a number"),
        ("x.yaml", "- says: !!binary aGk=", "scripts have no binary"),
        ("x.yaml", "- says: !!int x", "x is no value: "),
        ("x.yaml", "- says: !!bool perhaps", "perhaps is no value: "),
        ("x.yaml", f"- floods: {'1' * 5000}", "is no value: "),
        ("x.yaml", "- says: !!map [a]", "x.yaml cannot be used: "),
        ("x.yaml", "- says: !!python/name:os.system x", "x.yaml cannot be used: "),
        ("x.yaml", "- says: a\n---\n- says: b", "x.yaml is no YAML: "),
        ("x.yaml", "- says: \x00", "x.yaml is no YAML: "),
        ("x.yaml", "- &a [*a]", "x.yaml has lists or mappings in each other more than 100 levels deep"),
        ("x.yaml", "[" * 600 + "]" * 600, "more than 100 levels deep: write it flatter"),
        ("x.yaml", f"- calls: {{tool: a, arguments: {{x: {'[' * 99}{']' * 99}}}}}", "more than 100 levels deep"),
        ("x.json", "[" * 100_000 + "]" * 100_000, "more than 100 levels deep: write it flatter"),
        ("x.json", f'[{{"calls": {{"tool": "a", "arguments": {{"x": {"[" * 99}{"]" * 99}}}}}}}]', "100 levels deep"),
        ("x.json", '{"says": "a"}', "steps: Field required"),
        ("x.json", "null", "the file: there is nothing here"),
        ("x.json", f'[{{"floods": {"1" * 5000}}}]', "x.json is no JSON: "),
        ("x.json", '[{"says": "a"}, {"delays": 1}]', "x.json: The script ends with delays(1)"),
        ("x.json", '{"steps": [], "models": {"mini": [{"delays": 1}]}}', "x.json: The script ends with delays(1)"),
        ("absent.json", None, "absent.json cannot be read: "),
        ("x.yaml", "- says: a\n  says: b", "the key says is here twice: write it once, and each step in a mapping"),
        ("x.yaml", "- says: a\n  says: b", 'in "x.yaml", line 2, column 3'),
        ("x.yaml", '- calls: {tool: a, "tool": b}', "the key tool is here twice"),
        ("x.yaml", "- calls: {tool: a, arguments: {x: 1, x: 2}}", 'in "x.yaml", line 1, column 38'),
        ("x.yaml", "steps: []\nsteps: []", "the key steps is here twice"),
        ("x.json", '[{"says": "a", "says": "b"}]', "x.json cannot be used: the key says is here twice: write it once"),
        ("x.json", '[{"says": "a", "says": "b"}]', 'in {"says": "a", "says": "b"}'),
        ("x.json", '[{"calls": {"tool": "a", "arguments": {"x": 1, "x": 2}}}]', 'in {"x": 1, "x": 2}'),
        ("x.json", f'{{"steps": [], "steps": ["{"a" * 999}"]}}', "characters left out]}"),
        (
            "x.yaml",
            "- calls: {tool: a, arguments: {x: [.nan]}}",
            "0.calls.arguments.x.0: nan: write a number that",
        ),
        ("x.yaml", "- delays: .inf\n- says: a", "has what is no number in JSON:\n  0.delays: inf: write a number"),
        ("x.yaml", "- delays: -.inf\n- says: a", "0.delays: -inf"),
        ("x.yaml", "- delays: 1.0e+999\n- says: a", "0.delays: inf"),
        ("x.yaml", ".nan", "the file: nan"),
        ("x.json", '{"steps": [{"delays": NaN}]}', "steps.0.delays: nan: write a number that JSON has, or a text in q"),
        ("x.json", '[{"delays": Infinity}]', "0.delays: inf"),
        ("x.json", '[{"calls": {"tool": "a", "arguments": {"x": -1e999}}}]', "0.calls.arguments.x: -inf"),
    ],
)
@requirement("harness.script-files")
def test_a_file_that_is_no_script_is_refused_in_words(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    """Written by another version, or by hand. (ours)"""
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(ScriptError) as refused:
        Script.read(tmp_path / name)
    assert words in str(refused.value)


def test_what_yaml_could_read_otherwise_comes_back_as_the_text_that_it_is(tmp_path: Path) -> None:
    """A date, a number and a yes in quotes; a call that is written once and used twice. (ours)"""
    file = tmp_path / "script.yaml"
    script = Script(calls("a", day="2026-01-01", when={"on": "yes", "7": 7}), says("42"))
    script.write(file)
    assert Script.read(file).steps == script.steps

    file.write_text("- calls: &look {tool: look}\n- calls: [*look, {<<: *look, arguments: {far: true}}]\n")
    assert Script.read(file).steps == (calls("look"), calls(call("look"), call("look", far=True)))

    # What is merged into a mapping gives way to what it says itself: that is no key twice.
    file.write_text("- calls: &a {tool: a}\n- calls: &b {<<: *a, tool: b}\n- calls: {<<: *b, arguments: {x: 1}}\n")
    assert Script.read(file).steps == (calls("a"), calls("b"), calls("b", x=1))


def test_a_handoff_is_written_by_the_name_of_the_agent(tmp_path: Path) -> None:
    """What an older version wrote is a call, and stays one. (ours)"""
    file = tmp_path / "script.yaml"
    file.write_text("- hands_off_to: Übersetzer\n- calls: {tool: transfer_to_back}\n")

    assert Script.read(file).steps == (hands_off_to("Übersetzer"), calls("transfer_to_back"))
    assert Script.read(file).at(Place(0, 1), attempt=1) == calls("transfer_to_back")


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_arguments_that_no_file_can_hold_are_refused_when_they_are_written(tmp_path: Path, suffix: str) -> None:
    """And not by the worker process that reads them. (ours)"""
    deep: list[Any] = []
    for _ in range(MOST_LEVELS):
        deep = [deep]
    for arguments, words in (
        ({"x": object()}, "cannot be written to"),
        ({"x": deep}, "100 levels deep"),
        ({"x": math.nan}, r"steps\.0\.calls\.0\.arguments\.x: nan: write a number"),
    ):
        with pytest.raises(ScriptError, match=words):
            Script(calls("a", **arguments)).write(tmp_path / f"script.{suffix}")


def test_a_delay_belongs_to_the_step_that_comes_next() -> None:
    """And to its attempts alone. (ours)"""
    script = Script(delays(1), delays(timedelta(seconds=2)), fails("x", attempts=2), says("a"), delays(4), says("b"))

    assert [script.delay(Place(0, 0), attempt=attempt) for attempt in (1, 2, 3)] == [3, 3, 0]
    assert script.delay(Place(1, 0), attempt=1) == 4
    assert script.at(Place(1, 0), attempt=1) == says("b")
    assert script.delay(Place(2, 0), attempt=1) == 0


def test_a_delay_that_nothing_comes_after_is_a_mistake_in_the_script() -> None:
    """It would delay nothing and count as a turn; the script of another model is one as well. (ours)"""
    with pytest.raises(ScriptError, match=r"ends with delays\(2\.5\).*none comes: write what the model does after it"):
        Script(says("a"), delays(2.5))
    with pytest.raises(ScriptError, match=r"ends with delays\(1\)"):
        Script(says("a"), models={"mini": Script(delays(1))})


def test_a_loop_answers_every_later_call_of_its_turn() -> None:
    """And what comes next is another turn. (ours)"""
    script = Script(calls("a"), loops("b"), says("c"))

    assert [script.at(Place(0, number), attempt=1) for number in (0, 1, 2, 99)] == [calls("a"), *[loops("b")] * 3]
    assert script.at(Place(1, 0), attempt=1) == says("c")
    assert script.unused({Place(0, 0): 1, Place(0, 1): 1}) == ["turn 2, model call 1: Says(text='c')"]
