"""What of a line has room."""

import pytest

from durable_loop.cli import fitting, screen


@pytest.mark.parametrize(
    ("line", "columns", "shown"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 11, "two three"),
        ("one two three", 9, "three"),
        ("東京都千代田区", 6, "代田区"),
        ("東京都千代田区 Python", 12, "Python"),
        ("x" * 80 + " a", 30, "x" * 28 + " a"),
        ("☀️ warm", 4, "warm"),
        ("anything", 0, ""),
    ],
)
def test_the_end_of_a_line_begins_with_a_word_where_there_is_one(line: str, columns: int, shown: str) -> None:
    """And never takes more room than there is. (ours)"""
    assert fitting.end(line, columns) == shown
    assert fitting.width(shown) <= columns


@pytest.mark.parametrize("sign", ["⚠️", "❤️", "1️⃣"])
def test_a_sign_that_becomes_an_emoji_is_as_wide_as_one(sign: str) -> None:
    """A line that is too long would wrap, and could not be taken away again. (ours)"""
    assert fitting.width(sign) == 2
    assert fitting.beginning(sign * 10, 9).count(sign[0]) <= 5


@pytest.mark.parametrize("columns", [20, 40, 60])
@pytest.mark.parametrize("words", ["東京都 " * 20, "⚠️ " * 40, "a" * 90, "one two " * 20])
def test_the_line_that_waits_fits(columns: int, words: str) -> None:
    """Whatever is done and heard. (ours)"""
    line = screen.waiting("calling weather with 東京", begun=True, heard=words, columns=columns)

    assert fitting.width(line) <= max(columns, fitting.width("  … (calling weather with 東京)"))


def test_lines_wrap_between_words_and_what_was_made_to_fit_stays() -> None:
    """An address stays whole, a line that is indented is so in all its rows. (ours)"""
    link = "https://example.com/an-address-that-is-longer-than-the-line"
    text = f"No turn is lost, repeated\n  (or mixed up, at any moment)\n\x1b[1m{'x' * 40}\x1b[0m\n{link} is it\n"

    assert fitting.wrapped(text, 20) == (
        f"No turn is lost,\nrepeated\n  (or mixed up, at\n  any moment)\n\x1b[1m{'x' * 40}\x1b[0m\n{link}\nis it\n"
    )
    assert fitting.wrapped(text, 100) == text
