"""Whatever is typed, the offline model answers, quickly."""

import time

import pytest

from tests.unit.models.helpers import Talk, calls_of, respond, text_of, tool, user

N = 4_000
ODD: dict[str, str] = {
    "letters": "a" * N,
    "ands": "and " * (N // 4),
    "parentheses": "(" * N,
    "minuses": "-" * N,
    "ones": "1 " * (N // 2),
    "ones and commas": "1, " * (N // 3),
    "percents": "5% " * (N // 3),
    "roots": "square root of " * (N // 15),
    "sums": "sum of " * (N // 7),
    "number words": "twenty " * (N // 7),
    "quotes": "'" * N,
    "quotations": '"a" ' * (N // 4),
    "capitals": "Paris " * (N // 6),
    "possessives": "my a's " * (N // 7),
    "questions": "what is my " * (N // 11),
    "requests": "2+2 and " * (N // 8),
    "lines": "a\n" * (N // 2),
    "emoji": "😀" * N,
    "Chinese": "東" * N,
    "right to left": "\u202e" * N,
    "zeros": "\x00" * N,
    "surrogate": "\udcff weather in Paris",
    "markup": "<script>alert(1)</script>" * 100,
    "format": "{0} %s %d {{}} \\1 \\g<0>",
    "regular expression": "(a+)+$ [^ ]* .{99,}",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
async def test_odd_text_is_answered(text: str) -> None:
    """There is always either a call or a reply. (ours)"""
    response = await respond([user(text)])

    assert calls_of(response) or text_of(response)


async def test_a_message_of_100_kb_is_answered_within_a_moment() -> None:
    """It is not read, which is said, and nothing is called for a part of it. (ours)"""
    text = "weather in Paris and " * 5_000

    started = time.thread_time()
    response = await respond([user(text)])
    seconds = time.thread_time() - started

    assert calls_of(response) == []
    assert text_of(response) == (
        "Your message has 104,999 characters. I am the offline model and read at most 4,000: please shorten it."
    )
    # Measured at 1 ms of this thread's own work.
    assert seconds < 1


async def test_more_requests_than_anyone_makes_are_bounded_and_the_rest_is_named() -> None:
    """No request is passed over in silence. (ours)"""
    reply = await Talk().say(" and ".join(f"calculate {number} + 1" for number in range(40)), *["fine"] * 24)

    assert "I cannot help with “calculate 24 + 1 …”." in reply


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(a|a)*b$", "a*a*a*a*a*b", "[", "(?<n>x)"])
async def test_a_pattern_that_could_hang_or_cannot_be_read_is_not_run(pattern: str) -> None:
    """The schema of a hostile tool cannot stop the model. (ours)"""
    label = tool("print_label", "Print a label.", {"label": {"type": "string", "pattern": pattern}})

    response = await respond(f"print label {'a' * 60}c1", [label])

    assert calls_of(response) or text_of(response)


async def test_odd_schemas_are_survived() -> None:
    """A schema that refers to itself, to nothing, or is nonsense asks for what it names. (ours)"""
    loop = tool("walk_tree", "Walk a tree.", {"node": {"$ref": "#/$defs/N"}}, **{"$defs": {"N": {"$ref": "#/$defs/N"}}})
    lost = tool("walk_tree", "Walk a tree.", {"node": {"$ref": "#/$defs/Missing"}})
    deep = tool(
        "walk_tree",
        "Walk a tree.",
        {"node": {"$ref": "#/$defs/N"}},
        **{"$defs": {"N": {"type": "object", "properties": {"node": {"$ref": "#/$defs/N"}}, "required": ["node"]}}},
    )
    odd = tool(
        "walk_tree", "", {"node": {"type": ["null"], "enum": 5}, "other": {"type": 5}, "third": {"minLength": "x"}}
    )

    for walk in (loop, lost, deep, odd):
        response = await respond("walk the tree", [walk])
        assert calls_of(response) or text_of(response)


async def test_digits_of_every_script_are_digits() -> None:
    """They are read as the numbers that they are. (ours)"""
    (call,) = calls_of(await respond("Calculate ٣ + ٤"))

    assert call == ("calculator", {"expression": "3 + 4"})
    assert text_of(await respond("stock price of ႘"))
