"""The line that stands for a reply, as a terminal draws it."""

from pathlib import Path

import pyte
import pytest

from durable_loop.cli.keyboard import TerminalLines

COLUMNS, ROWS = 40, 5


async def _nobody() -> list[str]:
    return []


@pytest.mark.parametrize(
    "doing",
    ["overloaded " * 20, "过载" * 40, "x" + "过载" * 40, "🔥" * 40, "e\u0301" * 80, "\t" * 4 + "x" * 40],
    ids=["narrow", "wide", "wide, from an odd column", "emoji", "accents without a width", "tabs"],
)
def test_the_line_that_stands_for_a_reply_is_one_row_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, doing: str
) -> None:
    """An error's text may be long, in any script; what wraps could not be taken away again. (ours)"""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setenv("TERM", "xterm")
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    lines = TerminalLines(tmp_path / "typed", toolbar=lambda: "", chat_ids=_nobody)

    with lines.answering() as shown:
        shown.doing(doing)
        stream.feed(capsys.readouterr().out)
        assert [bool(row.strip()) for row in screen.display] == [True, *[False] * (ROWS - 1)]
        # As much as fits: a character that is two columns wide may leave one free, the cursor has another.
        assert screen.cursor.x >= COLUMNS - 2
    stream.feed(capsys.readouterr().out)

    assert not "".join(screen.display).strip()
