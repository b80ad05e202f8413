"""Markdown for a terminal, a block at a time: what is complete is written once and never again."""

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markdown import ListItem, Markdown
from rich.segment import Segment

from durable_loop.cli.canvas import drawn_by_rich
from durable_loop.cli.screen import printable
from durable_loop.cli.terminal import Look

__all__ = ["complete_blocks", "rendered"]

_PARSER: Final = MarkdownIt().enable(["strikethrough", "table"]).disable(["html_block", "html_inline"])
_FENCE: Final = re.compile(r"^ {0,3}(`{3,}(?!.*`)|~{3,})")
_FENCE_END: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*$")
# The first line of what is no paragraph: a heading, a list, a quote, a table, code, a rule.
_IS_MARKED_UP: Final = re.compile(r"^(?: {0,3}(?:#{1,6}\s|[-*+]\s|\d+[.)]\s|>|\||`{3}|~{3}|[-*_=]{3,}\s*$)|\t| {4})")
_LABEL: Final = "Agent:"


class _ListItem(ListItem):
    def render_number(
        self, console: Console, options: ConsoleOptions, number: int, last_number: int
    ) -> Iterator[Segment]:
        """Write the number as it was written, with a dot: people refer to it so."""
        width = len(f"{last_number}. ")
        lines = console.render_lines(self.elements, options.update(width=options.max_width - width), style=self.style)
        for place, line in enumerate(lines):
            yield Segment(f"{number}.".rjust(width - 1) + " " if place == 0 else " " * width)
            yield from line
            yield Segment.line()


class _Markdown(Markdown):
    elements: ClassVar = {**Markdown.elements, "list_item_open": _ListItem}

    def __init__(self, text: str) -> None:
        super().__init__("", hyperlinks=False, code_theme="ansi_dark")
        self.parsed = _PARSER.parse(text)
        for token in _all(self.parsed):
            token.content = printable(token.content)  # `&#x202e;` is a character as well
            if token.type == "softbreak":
                token.type = "hardbreak"


def _all(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


def complete_blocks(text: str) -> int:
    """Return how many characters of a growing text are complete blocks: no more of it changes how they look.

    A block ends with a blank line. A list goes on after one, and a table or code is not over before its end. Only a
    link whose address stands in a later block stays as it was written.
    """
    end, fence, is_list = 0, "", False
    place = 0
    for line in text.splitlines(keepends=True):
        place += len(line)
        if fence:
            if (closed := _FENCE_END.match(line)) and closed[1].startswith(fence):
                fence = ""
            continue
        if opened := _FENCE.match(line):
            fence = opened[1]
        if line.strip():
            is_list = bool(re.match(r"^\s*(?:[-*+]|\d+[.)])\s", line)) or (is_list and line.startswith(" "))
        elif line.endswith("\n") and not is_list:
            end = place
    return end


def rendered(text: str, look: Look, *, labelled: bool) -> str:
    """Return a text of a model as lines for the terminal; `labelled` says whose it is.

    A line end within a paragraph stays one, as in every chat. Links are shown, not hidden behind their words, and HTML
    is words like all others.
    """
    if look.plain:
        return f"{_LABEL} {text}\n" if labelled else f"{text}\n"
    things: list[RenderableType] = []
    if labelled:
        if not text.strip() or _IS_MARKED_UP.match(text):
            things.append(_LABEL)
        else:
            text = f"{_LABEL} {text}"
    things.append(_Markdown(text))
    lines = "\n".join(line.rstrip() for line in drawn_by_rich(things, look).splitlines())
    return lines.strip("\n") + "\n"
