"""Keeping a transcript short: what is cut, what stays, and that it says so."""

import json
from typing import Any

from durable_loop.chat.compaction import (
    cut_turn,
    forgotten,
    rendered,
    shortened,
    split,
    summarised_turns,
    summary,
    tokens,
    turns_in,
)

Item = dict[str, Any]


def user(text: str) -> Item:
    """Return what a user said."""
    return {"role": "user", "content": text}


def agent(text: str) -> Item:
    """Return what a model said, in parts."""
    return {"role": "assistant", "type": "message", "content": [{"type": "output_text", "text": text}]}


def called(arguments: str, output: object) -> list[Item]:
    """Return a tool call and its result."""
    return [
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": arguments},
        {"type": "function_call_output", "call_id": "c", "output": output},
    ]


def test_tokens_are_bytes_of_json_by_four() -> None:
    """An estimate that a payload's size can be told from. (ours)"""
    assert tokens("abcdef") == 2
    assert tokens("üüüüüü") == 3


def test_a_short_text_stays_and_a_long_one_says_what_is_missing() -> None:
    """The beginning is kept. (ours)"""
    assert shortened("abc", 3) == "abc"
    assert shortened("abcdef", 3) == "abc [… 3 of 6 characters left out]"


def test_the_newest_turns_stay_while_they_fit() -> None:
    """A turn is kept whole or not at all, and the last one always. (ours)"""
    first, second, third = [user("1"), agent("x" * 400)], [user("2"), agent("y" * 400)], [user("3"), agent("z" * 400)]
    transcript = [*first, *second, *third]

    assert split(transcript, keep=10_000) == ([], transcript)
    assert split(transcript, keep=tokens([*second, *third])) == (first, [*second, *third])
    assert split(transcript, keep=0) == ([*first, *second], third)
    assert split([], keep=0) == ([], [])


def test_a_transcript_knows_how_many_turns_it_stands_for() -> None:
    """Those in a summary count as many as they were. (ours)"""
    assert turns_in([user("1"), agent("a"), user("2")]) == 2
    assert turns_in([summary("so far", turns=12), user("13")]) == 13
    assert turns_in([forgotten(turns=4)]) == 4
    assert summarised_turns([user("[Summary of nothing]")]) == 0
    assert summarised_turns([]) == 0


def test_a_turn_that_fits_is_left_alone() -> None:
    """Nothing is cut without need. (ours)"""
    items = [user("hi"), *called("{}", "ok"), agent("done")]

    assert cut_turn(items, keep=1_000) == items


def test_long_texts_of_a_turn_are_cut_and_arguments_stay_json() -> None:
    """Providers parse the arguments of earlier calls: half of a JSON text would fail every later call. (ours)"""
    parts = [{"type": "input_text", "text": "o" * 50_000}, {"type": "input_image", "file_id": "f"}]
    items = [user("u" * 50_000), *called(json.dumps({"a": "b" * 50_000}), parts), agent("e" * 50_000)]

    asked, call, result, answer = cut_turn(items, keep=2_000)

    assert asked == user("u" * 400 + " [… 49,600 of 50,000 characters left out]")
    assert json.loads(call["arguments"]) == {"left_out": "50,009 characters"}
    assert result["output"] == [
        {"type": "input_text", "text": "o" * 400 + " [… 49,600 of 50,000 characters left out]"},
        {"type": "input_image", "file_id": "f"},
    ]
    assert answer == agent("e" * 400 + " [… 49,600 of 50,000 characters left out]")


def test_a_turn_of_very_many_steps_keeps_its_question_and_its_answer() -> None:
    """And a line says how many steps are missing. (ours)"""
    items = [user("go"), *(item for _ in range(500) for item in called("{}", "ok")), agent("done")]

    assert cut_turn(items, keep=500) == [
        user("go"),
        {"role": "assistant", "content": "[1000 steps of this turn are left out: it grew too long.]"},
        agent("done"),
    ]


def test_old_turns_are_written_out_for_the_model_that_summarises_them() -> None:
    """Who said what, and what the tools gave. (ours)"""
    items = [summary("They met.", turns=2), user("AAPL?"), *called('{"t": 1}', "185.50"), agent("It is at 185.50.")]

    assert rendered([*items, {"type": "reasoning", "summary": []}]) == (
        "user: [Summary of turns 1 to 2, written by the model]\nThey met.\n"
        "user: AAPL?\n"
        'assistant calls look({"t": 1})\n'
        "result: 185.50\n"
        "assistant: It is at 185.50."
    )
