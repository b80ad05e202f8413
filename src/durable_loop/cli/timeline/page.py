"""A timeline as one HTML page. Everything here is a function of its arguments.

It is read without colours, without a mouse and without scripts: what a step is stands there as a word, the bars only
repeat the times, and what is long is in an element that opens.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from durable_loop.cli.page import escaped, page
from durable_loop.cli.timeline import words
from durable_loop.cli.timeline.value import Kind, Outcome, Step, TimedTurn, Timeline

__all__ = ["as_page"]

# Of one text; a tool may give megabytes.
MOST: Final = 20_000
# Of a text that stands for the whole one until that is opened.
GLANCE: Final = 160

_STYLE: Final = """\
:root {
  --back: #f6f7f9; --card: #fff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --rail: #eaeef2;
  --model: #0969da; --tool: #1a7f37; --list: #57606a; --question: #8250df; --gap: #cf222e; --chat: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --card: #161b22; --text: #e6edf3; --soft: #9ea7b3; --line: #30363d; --rail: #21262d;
    --model: #58a6ff; --tool: #3fb950; --list: #9ea7b3; --question: #bc8cff; --gap: #ff7b72; --chat: #9ea7b3;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: .875rem; color: var(--soft); font-weight: 600; }
p { margin: 0; overflow-wrap: anywhere; }
.about, .totals { color: var(--soft); }
.totals { margin-bottom: 1.5rem; }
section { margin: 1.25rem 0; padding: 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; color: var(--soft);
  font-size: .875rem; }
.user, .answer { white-space: pre-wrap; }
.user { margin: .25rem 0 .75rem; font-size: 1.125rem; font-weight: 600; }
.answer { margin-top: .75rem; padding: .75rem; background: var(--rail); border-radius: .5rem; }
.answer.without { border-left: .25rem solid var(--gap); }
.answer b { display: block; font-size: .875rem; color: var(--soft); }
.note { margin-top: .5rem; font-size: .875rem; color: var(--soft); }
ol { list-style: none; margin: 0; padding: 0; }
.between { margin: 1.25rem 0; padding: 0 1rem; }
li { --colour: var(--chat); padding: .5rem 0 .5rem .75rem; border-left: 2px solid var(--line); }
.model, .summary { --colour: var(--model); }
.tool { --colour: var(--tool); }
.list { --colour: var(--list); }
.question { --colour: var(--question); }
.gap { --colour: var(--gap); }
.row { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr) 10rem 6rem; gap: 0 .75rem; align-items: center; }
.kind { color: var(--colour); font-size: .875rem; font-weight: 600; }
.name { font-family: ui-monospace, monospace; font-size: .875rem; overflow-wrap: anywhere; }
.bar { position: relative; display: block; height: .5rem; background: var(--rail); border-radius: .25rem; }
.bar span { position: absolute; top: 0; bottom: 0; min-width: .25rem; background: var(--colour);
  border-radius: .25rem; }
.gap .bar span { background: repeating-linear-gradient(135deg, var(--colour) 0 3px, transparent 3px 6px); }
.time { text-align: right; font-size: .875rem; font-variant-numeric: tabular-nums; }
.chat .time { grid-column: 3 / -1; }
.remark, .tokens { font-size: .875rem; }
li > p, details { margin-left: 7.25rem; }
.remark { color: var(--gap); }
.tokens { color: var(--soft); }
details { font-size: .875rem; }
summary { color: var(--soft); cursor: pointer; overflow-wrap: anywhere; }
summary:focus-visible { outline: 2px solid var(--model); outline-offset: 2px; border-radius: .25rem; }
dl { margin: .25rem 0 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; padding: .5rem; background: var(--rail); border-radius: .5rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
@media (max-width: 40rem) {
  main { padding: 1rem .75rem 2rem; }
  section { padding: .75rem; }
  .row { grid-template-columns: minmax(0, 1fr) auto; }
  .row .name { grid-column: 1 / -1; grid-row: 2; }
  .row .bar { grid-column: 1 / -1; grid-row: 3; }
  .row .time { grid-column: 2; grid-row: 1; }
  li > p, details { margin-left: 0; }
}
@media print {
  body, section { background: none; }
  section { break-inside: avoid; }
}
"""

_CLASSES: Final = {
    Kind.MODEL: "model",
    Kind.SUMMARY: "summary",
    Kind.TOOL: "tool",
    Kind.MCP_TOOL: "tool",
    Kind.MCP_LIST: "list",
    Kind.QUESTION: "question",
    Kind.GAP: "gap",
    Kind.CHAT: "chat",
}


def as_page(told: Timeline) -> str:
    """Return a timeline as a page: a section for each turn, in it a list of what was done."""
    body = (
        f'<p class="about">{escaped(words.about(told))}</p>',
        f'<p class="totals">{escaped(words.totals(told))}</p>',
        *_parts(told),
    )
    return page(words.heading(told), style=_STYLE, body="\n".join(body))


def _parts(told: Timeline) -> Iterator[str]:
    for part in told.parts:
        if isinstance(part, TimedTurn):
            yield from _turn(part)
        else:
            yield from ('<ol class="between">', *_step(part, None), "</ol>")


def _turn(turn: TimedTurn) -> Iterator[str]:
    name = f"turn-{turn.number}"
    label, said = words.answer(turn)
    totals = " · ".join(filter(None, (words.lasted(turn.time), words.counted(turn.tokens))))
    yield f'<section aria-labelledby="{name}">'
    yield f'<div class="head"><h2 id="{name}">Turn {turn.number}</h2>{_moment(turn.start)}</div>'
    yield f'<p class="user">{_whole(turn.text)}</p>'
    if turn.steps:
        yield f'<ol aria-label="What was done in turn {turn.number}">'
        for step in turn.steps:
            yield from _step(step, turn)
        yield "</ol>"
    is_well = turn.outcome in {Outcome.DONE, Outcome.OPEN, Outcome.WAITING}
    kind = "answer" if is_well else "answer without"
    yield f'<p class="{kind}"><b>{label}</b>{_whole(said)}</p>'
    for note in turn.notes:
        yield f'<p class="note">{_whole(note)}</p>'
    if totals:
        yield f'<p class="note">{escaped(totals)}</p>'
    yield "</section>"


def _step(step: Step, turn: TimedTurn | None) -> Iterator[str]:
    yield f'<li class="{_CLASSES[step.kind]}">'
    yield f'<div class="row"><span class="kind">{escaped(step.kind)}</span>'
    yield f'<span class="name">{_whole(step.name)}</span>'
    if turn is not None:
        yield _bar(turn, step)
    if step.kind is Kind.CHAT:
        yield f'<span class="time">{_moment(step.start)}</span></div>'
    else:
        yield f'<span class="time">{words.lasted(step.time)}</span></div>'
    for remark in words.remarks(step):
        yield f'<p class="remark">{_whole(remark)}</p>'
    yield from _texts(step, turn)
    if step.tokens:
        yield f'<p class="tokens">{words.counted(step.tokens)}</p>'
    yield "</li>"


def _texts(step: Step, turn: TimedTurn | None) -> Iterator[str]:
    """Yield what was asked and given: a glance at it, and the whole where there is more."""
    gave = words.gave(step, turn)
    asked = "" if step.asked == words.NOTHING else step.asked
    kind = "tokens" if step.outcome in {Outcome.DONE, Outcome.OPEN} else "remark"
    glance = words.shortened(" ".join(filter(None, (asked, gave))), GLANCE)
    if not asked and glance == gave:
        if gave:
            yield f'<p class="{kind}">{escaped(gave)}</p>'
        return
    yield f'<details><summary class="{kind}">{escaped(glance)}</summary><dl>'
    if asked:
        yield f"<dt>Asked</dt><dd>{_whole(asked)}</dd>"
    if gave:
        yield f"<dt>{'Gave' if step.outcome is Outcome.DONE else escaped(step.outcome.capitalize())}</dt>"
        yield f"<dd>{_whole(step.gave)}</dd>"
    yield "</dl></details>"


def _whole(text: str) -> str:
    left_out = len(text) - MOST
    return escaped(text) if left_out <= 0 else f"{escaped(text[:MOST])} [… {left_out:,} characters left out]"


def _bar(turn: TimedTurn, step: Step) -> str:
    begins, ends = turn.place_of(step)
    place = f"left:{100 * begins:.2f}%;right:{100 * (1 - ends):.2f}%"
    return f'<span class="bar" aria-hidden="true"><span style="{place}"></span></span>'


def _moment(at: datetime) -> str:
    return f'<time datetime="{at.isoformat()}">{words.moment(at)}</time>'
