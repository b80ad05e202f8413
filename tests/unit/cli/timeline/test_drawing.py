"""The timeline in a terminal, whole."""

import re
from datetime import timedelta

import pytest
from rich.cells import cell_len

from durable_loop.cli.terminal import Look
from durable_loop.cli.timeline import words
from durable_loop.cli.timeline.drawing import drawn
from tests.requirements import requirement
from tests.unit.cli.timeline.samples import TOLD, evil


def look(columns: int) -> Look:
    """Return a terminal without colours."""
    return Look(columns=columns, plain=True, colours=False)


@requirement("cli.timeline")
def test_a_wide_terminal_shows_when_in_its_turn_a_step_was() -> None:
    """A bar, a time, and below it what was asked and given; what is beside a turn stands between them. (ours)"""
    assert drawn(TOLD, look(80)) == WIDE


def test_a_narrow_terminal_shows_the_same_without_bars() -> None:
    """Forty columns are enough for times, attempts, gaps and tokens. (ours)"""
    assert drawn(TOLD, look(40)) == NARROW


@pytest.mark.parametrize("columns", [20, 40, 76, 200])
def test_no_line_is_wider_than_the_terminal_and_no_text_speaks_to_it(columns: int) -> None:
    """Whatever models, tools and users wrote. (ours)"""
    lines = drawn(evil(), look(columns)).splitlines()

    assert max(map(cell_len, lines)) <= columns
    assert not [line for line in lines if "\x1b" in line or line != line.rstrip()]


def test_colours_are_for_terminals_that_have_them() -> None:
    """Without them every word is still there, and no escape sequence is. (ours)"""
    plain = drawn(TOLD, look(80))
    coloured = drawn(TOLD, Look(columns=80, plain=False, colours=True))

    assert "\x1b" not in plain + drawn(TOLD, Look(columns=80, plain=False, colours=False))
    assert "\x1b[31m" in coloured
    uncoloured = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert [line.rstrip() for line in uncoloured.splitlines()] == plain.splitlines()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.004, "4 ms"), (0.0996, "0.10 s"), (9.99, "9.99 s"), (59, "59.0 s"), (61, "1 min 01 s"), (7260, "2 h 01 min")],
)
def test_a_time_is_as_exact_as_it_is_short(seconds: float, said: str) -> None:
    """From milliseconds to hours. (ours)"""
    assert words.lasted(timedelta(seconds=seconds)) == said


WIDE = f"""\
What is AAPL at?
chat-1 · gpt-4 · open
3 turns after 1 before · 2 runs · 2,500 tokens in, 25 out · 3 retries · 1 gap

2 You: What is AAPL at?                                      {words.moment(TOLD.turns[0].start)}
  ├ MCP list   finance                            █·················       50 ms
  │            → stock_price, calculate_roi
  ├ model call gpt-4                              ████··············      1.90 s
  │            → calls stock_price({{"ticker":"AAPL"}})
  │            1,200 tokens in, 20 out
  ├ question   finance.stock_price                ···██·············      1.00 s
  │            → allowed
  ├ MCP tool   finance.stock_price                ·····███████████··      6.00 s
  │            attempt 2 of 6
  │            before: the worker that ran it is gone.
  │            {{"ticker": "AAPL"}}
  │            → AAPL is at 185.50
  ├ gap        finance.stock_price                ·····░░░░░░░░░····      5.00 s
  │            its worker was gone
  ├ model call gpt-4                              ················██      1.00 s
  │            1,300 tokens in, 5 out
  └ Agent: **185.50**                                                     10.0 s
    The it tools are not available.
    2,500 tokens in, 25 out

 chat       goes on in a new run

3 You: And?                                                  {words.moment(TOLD.turns[1].start)}
  ├ tool       calculator                         █·················      1.00 s
  │            cancelled
  ├ model call gpt-4                              ██████████████████  1 min 40 s
  │            attempt 3
  │            before: no reason given
  │            failed: no.
  └ No reply                                                          1 min 40 s
    The model could not answer: no.

4 You: Hello?                                                {words.moment(TOLD.turns[2].start)}
  ├ model call gpt-4                              █·················
  │            under way
  └ Under way
"""
NARROW = f"""\
What is AAPL at?
chat-1 · gpt-4 · open
3 turns after 1 before · 2 runs · 2,500
tokens in, 25 out · 3 retries · 1 gap

2 You: What is AAPL at?         {words.clock(TOLD.turns[0].start)}
  ├ MCP list   finance             50 ms
  │   → stock_price, calculate_roi
  ├ model call gpt-4              1.90 s
  │   → calls stock_price({{"ticker":"AA…
  │   1,200 tokens in, 20 out
  ├ question   finance.stoc…      1.00 s
  │   → allowed
  ├ MCP tool   finance.stoc…      6.00 s
  │   attempt 2 of 6
  │   before: the worker that ran it is…
  │   {{"ticker": "AAPL"}}
  │   → AAPL is at 185.50
  ├ gap        finance.stoc…      5.00 s
  │   its worker was gone
  ├ model call gpt-4              1.00 s
  │   1,300 tokens in, 5 out
  └ Agent: **185.50**             10.0 s
    The it tools are not available.
    2,500 tokens in, 25 out

 chat       goes on in a new run

3 You: And?                     {words.clock(TOLD.turns[1].start)}
  ├ tool       calculator         1.00 s
  │   cancelled
  ├ model call gpt-4          1 min 40 s
  │   attempt 3
  │   before: no reason given
  │   failed: no.
  └ No reply                  1 min 40 s
    The model could not answer: no.

4 You: Hello?                   {words.clock(TOLD.turns[2].start)}
  ├ model call gpt-4
  │   under way
  └ Under way
"""
