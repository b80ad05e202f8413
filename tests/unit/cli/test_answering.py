"""A reply that grows on the screen: nothing twice, nothing lost."""

import pytest

from durable_loop.chat.messages import PartialText, Reply, ToolCall
from durable_loop.cli.answering import GrowingReply
from tests.requirements import requirement

TEXT = "First.\n\nSecond.\n\nThird."


@pytest.fixture(name="shown")
def _shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("TERM", "dumb")
    return []


@pytest.fixture(name="growing")
def _growing(shown: list[str]) -> GrowingReply:
    return GrowingReply(shown.append, lambda _: None)


def said(text: str, *, attempt: int = 1, start: int = 0) -> PartialText:
    """Return what an attempt said so far."""
    return PartialText(attempt=attempt, start=start, text=text[start:])


def reply(text: str = TEXT, *notes: str) -> Reply:
    """Return a reply."""
    return Reply(turn_id="t1", text=text, notes=notes)


def test_complete_blocks_are_written_at_once_and_once(growing: GrowingReply, shown: list[str]) -> None:
    """The rest comes with the reply. (ours)"""
    growing.hear("1", said("First.\n"))
    assert "".join(shown) == ""
    for length in range(8, len(TEXT)):
        growing.hear("1", said(TEXT[:length]))
    assert "".join(shown) == "Agent: First.\n\nSecond.\n"
    growing.finish(reply(TEXT, "it was away"))

    assert "".join(shown) == "Agent: First.\n\nSecond.\n\nThird.\n  (it was away)\n"


@requirement("streaming.words")
def test_the_newest_words_stand_in_the_line_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first one on, and as many as have room; a block that is complete is no longer among them. (ours)"""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    lines, written = list[str](), list[str]()
    growing = GrowingReply(written.append, lines.append)
    growing.doing("thinking")
    growing.hear("1", said("First"))
    growing.hear("1", said("First.\n\nThe second\nis long"))
    growing.hear("1", said("First.\n\nThe second\nis longer than what has room"))
    growing.used([ToolCall(tool="weather", arguments="{}", is_over=True)])
    growing.doing("thinking")

    assert lines == [
        "Agent: … (thinking)",
        "Agent: First … (thinking)",
        "  The second is long … (thinking)",
        "  than what has room … (thinking)",
        "  … (thinking)",
    ]
    assert "".join(written).count("First.") == 1


def test_words_of_an_attempt_that_has_not_come_so_far_again_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are on the screen. (ours)"""
    monkeypatch.setenv("TERM", "xterm")
    lines = list[str]()
    growing = GrowingReply(lambda _: None, lines.append)
    growing.hear("1", said("First.\n\nSec"))
    growing.hear("1", said("Fir", attempt=2))
    growing.hear("1", said("First.\n\nSecond", attempt=2))

    assert lines == ["  Sec …", "  …", "  Second …"]


@pytest.mark.parametrize("streamed", [" \n\nOne.\n\nTwo.", "One.\n\nTwo.\n\n", "\n One.\n \nTwo.\n\n \n"])
def test_blank_lines_around_what_is_streamed_are_no_other_reply(
    growing: GrowingReply, shown: list[str], streamed: str
) -> None:
    """A reply has none; nothing of it is there twice. (ours)"""
    for length in range(1, len(streamed) + 1):
        growing.hear("1", said(streamed[:length]))
    growing.finish(reply(streamed.strip()))

    assert "".join(shown) == "Agent: One.\n\nTwo.\n"


def test_a_reply_that_goes_on_where_a_block_had_ended_is_another_one(growing: GrowingReply, shown: list[str]) -> None:
    """The same beginning is not the same block. (ours)"""
    growing.hear("1", said("One.\n\n"))
    growing.finish(reply("One. And more."))

    assert "".join(shown) == (
        "Agent: One.\n  (the model call was lost: the reply is begun anew)\nAgent: One. And more.\n"
    )


def test_the_words_after_a_tool_are_shown_though_something_was_said_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said before it will be void; these are of the reply. (ours)"""
    monkeypatch.setenv("TERM", "xterm")
    lines = list[str]()
    growing = GrowingReply(lambda _: None, lines.append)
    growing.hear("1", said("I look it up.\n\n"))
    growing.used([ToolCall(tool="weather", arguments="{}", is_over=True)])
    growing.hear("2", said("It rains"))

    assert lines[-1] == "  It rains …"


def test_a_long_text_comes_in_parts(growing: GrowingReply, shown: list[str]) -> None:
    """Of which one may be missed: then the reply has it. (ours)"""
    growing.hear("1", said(TEXT[:10]))
    growing.hear("1", said(TEXT[:20], start=5))
    growing.hear("1", said("x" * 100, start=50))
    growing.finish(reply())

    assert "".join(shown) == "Agent: First.\n\nSecond.\n\nThird.\n"


@requirement("streaming.attempts")
def test_what_a_lost_attempt_said_is_marked_and_replaced(growing: GrowingReply, shown: list[str]) -> None:
    """A screen cannot be unwritten. (ours)"""
    growing.hear("1", said("Wrong.\n\nVery"))
    growing.hear("1", said("First.\n\n", attempt=2))
    growing.finish(reply())

    assert "".join(shown) == (
        "Agent: Wrong.\n  (the model call was lost: the reply is begun anew)\nAgent: First.\n\nSecond.\n\nThird.\n"
    )


def test_another_attempt_that_says_the_same_goes_on_where_the_screen_is(
    growing: GrowingReply, shown: list[str]
) -> None:
    """Nobody has to see that a worker died. (ours)"""
    growing.hear("1", said(TEXT[:20]))
    for length in range(1, len(TEXT)):
        growing.hear("1", said(TEXT[:length], attempt=2))
    growing.finish(reply())

    assert "".join(shown) == "Agent: First.\n\nSecond.\n\nThird.\n"


def test_what_was_said_before_a_tool_was_called_is_no_part_of_the_reply(
    growing: GrowingReply, shown: list[str]
) -> None:
    """It is told from it. (ours)"""
    growing.hear("1", said("I look.\n\n"))
    growing.used([ToolCall(tool="weather", arguments='{"city": "Oslo"}', is_over=True)])
    growing.finish(reply())

    assert "".join(shown) == (
        "Agent: I look.\n  · weather with Oslo\n  (that was not all: the reply is begun anew)\n"
        "Agent: First.\n\nSecond.\n\nThird.\n"
    )


def test_each_tool_has_one_line_in_the_order_in_which_they_began(growing: GrowingReply, shown: list[str]) -> None:
    """One that is still running keeps those after it waiting. (ours)"""
    one = ToolCall(tool="one", arguments="{}", is_over=False)
    two = ToolCall(tool="two", arguments='{"a": 1, "b": ["x"]}', is_over=True)
    growing.used([one, two])
    growing.used([one.model_copy(update={"is_over": True}), two])
    growing.used([one.model_copy(update={"is_over": True}), two])

    assert "".join(shown) == '  · one\n  · two with 1, ["x"]\n'


def test_what_could_move_the_cursor_is_taken_out(growing: GrowingReply, shown: list[str]) -> None:
    """Also out of what is only half there. (ours)"""
    growing.hear("1", said("a\x1b[2Jb\n\n"))
    growing.finish(reply("a\x1b[2Jb\n\nc"))

    assert "\x1b" not in "".join(shown)
