"""A timeline for the terminal, as wide as it is. Everything here is a function of its arguments."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from durable_loop.cli.canvas import drawn_by_rich
from durable_loop.cli.terminal import Look
from durable_loop.cli.timeline import words
from durable_loop.cli.timeline.value import Kind, Outcome, Step, TimedTurn, Timeline

__all__ = ["drawn"]

KIND: Final = 10  # as wide as the widest of the kinds
TIME: Final = 12
BAR: Final = 18
# Where there is no room for them, bars are left out.
WITH_BARS: Final = 76
# Of a text that is told in a line, before that is cut to the width.
TEXT: Final = 400
STYLES: Final = {
    Kind.MODEL: "cyan",
    Kind.SUMMARY: "cyan",
    Kind.TOOL: "green",
    Kind.MCP_TOOL: "green",
    Kind.MCP_LIST: "blue",
    Kind.QUESTION: "yellow",
    Kind.GAP: "red",
    Kind.CHAT: "magenta",
}
MARKS: Final = {Kind.GAP: "░"}


def drawn(told: Timeline, look: Look) -> str:
    """Return a timeline: of each turn its message, a line for each step with what it gave below it, and the answer."""
    lines = drawn_by_rich(_lines(told, look.columns), look)
    return "".join(f"{line.rstrip()}\n" for line in lines.rstrip("\n").split("\n"))


def _lines(told: Timeline, width: int) -> Iterator[Text]:
    yield Text(words.heading(told), "bold")
    yield Text(words.about(told), "dim")
    yield Text(words.totals(told), "dim")
    was_turn = True
    for part in told.parts:
        is_turn = isinstance(part, TimedTurn)
        if is_turn or was_turn:
            yield Text()
        was_turn = is_turn
        yield from _turn(part, width) if isinstance(part, TimedTurn) else _step(part, width, " ", None)


def _turn(turn: TimedTurn, width: int) -> Iterator[Text]:
    number = f"{turn.number} "
    indent = " " * len(number)
    start = words.moment(turn.start) if width >= WITH_BARS else words.clock(turn.start)
    yield _row(Text(f"{number}You: {words.shortened(turn.text, TEXT)}", "bold"), width, start)
    for step in turn.steps:
        yield from _step(step, width, f"{indent}├ ", turn)
    label, said = words.answer(turn)
    lead, said = (f"{indent}└ ", "dim"), words.shortened(said, TEXT)
    if turn.outcome is Outcome.DONE:
        yield _row(Text.assemble(lead, (f"{label}: {said}", "bold")), width, words.lasted(turn.time))
    else:
        yield _row(Text.assemble(lead, (label, "bold yellow")), width, words.lasted(turn.time))
        if said:
            yield _cut(Text(f"{indent}  {said}", "yellow"), width)
    for note in (*turn.notes, words.counted(turn.tokens)):
        if note:
            yield _cut(Text(f"{indent}  {words.shortened(note, TEXT)}", "dim"), width)


def _step(step: Step, width: int, lead: str, turn: TimedTurn | None) -> Iterator[Text]:
    style = STYLES[step.kind]
    name = words.shortened(step.name, TEXT)
    what = Text.assemble((lead, "dim"), (f"{step.kind:<{KIND}} ", style), name)
    if step.kind is Kind.CHAT:
        yield _cut(what, width)
    else:
        yield _row(what, width, words.lasted(step.time), _bar(turn, step, style))
    below = lead.replace("├", "│") + " " * (KIND + 1 if width >= WITH_BARS else 2)
    for detail, look in _details(step, turn):
        yield _cut(Text.assemble((below, "dim"), (words.shortened(detail, TEXT), look)), width)


def _details(step: Step, turn: TimedTurn | None) -> Iterator[tuple[str, str]]:
    for remark in words.remarks(step):
        yield remark, "yellow"
    if step.asked and step.asked != words.NOTHING:
        yield step.asked, "dim"
    if gave := words.gave(step, turn):
        yield gave, "dim" if step.outcome is Outcome.DONE else "yellow"
    if step.tokens:
        yield words.counted(step.tokens), "dim"


def _row(what: Text, width: int, time: str, bar: Text | None = None) -> Text:
    """Return a line with a bar where there is room for one, and a time at its end."""
    has_bars = width >= WITH_BARS
    room = width - max(TIME, len(time) + 2) - (BAR + 2 if has_bars and bar is not None else 0)
    row = _cut(what, room, pad=True)
    if has_bars and bar is not None:
        row = row.append("  ").append_text(bar)
    return row.append(time.rjust(width - row.cell_len))


def _cut(text: Text, width: int, *, pad: bool = False) -> Text:
    text.truncate(width, overflow="ellipsis", pad=pad)
    return text


def _bar(turn: TimedTurn | None, step: Step, style: str) -> Text:
    """Return when in its turn a step was, as a bar."""
    if turn is None:
        return Text(" " * BAR)
    begins, ends = turn.place_of(step)
    first = min(BAR - 1, int(begins * BAR))
    last = max(first + 1, round(ends * BAR))
    mark = MARKS.get(step.kind, "█")
    return Text.assemble(("·" * first, "dim"), (mark * (last - first), style), ("·" * (BAR - last), "dim"))
