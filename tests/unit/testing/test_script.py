"""The script: where each step stands, and how it travels."""

from pathlib import Path

import pytest

from durable_loop.testing import Fails, Says, Script, call, calls, fails, says
from durable_loop.testing.script import Place

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


def test_a_file_with_an_unknown_step_is_refused(tmp_path: Path) -> None:
    """Written by another version, or by hand. (ours)"""
    file = tmp_path / "script.json"
    file.write_text('{"steps": [{"kind": "sings", "text": "la"}]}')

    with pytest.raises(ValueError, match="sings"):
        Script.read(file)
