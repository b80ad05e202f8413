"""The line that stands for a reply, as a terminal draws it."""

import asyncio
from pathlib import Path

import pyte
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from durable_loop.chat.messages import Decision, Verdict
from durable_loop.cli.keyboard import TerminalLines
from tests.unit.cli.test_screen import ASKED

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


async def test_what_is_typed_around_an_answer_comes_in_the_order_in_which_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before the question is not its answer, and what came after it neither. (ours)"""
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        lines = TerminalLines(tmp_path / "typed", toolbar=lambda: "", chat_ids=_nobody)
        keys.send_text("first ")
        with lines.held(lambda _: None):
            is_asked = asyncio.Event()

            def told(_: str) -> None:
                is_asked.set()

            monkeypatch.setattr(lines, "tell", told)
            deciding = asyncio.create_task(lines.decide(ASKED, own=True))
            await is_asked.wait()
            keys.send_text("y\rsecond\r")
            assert await deciding == Decision(question_id="t1/1", verdict=Verdict.APPROVE)
            assert await lines.read() == "first second"
