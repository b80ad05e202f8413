"""Markdown for a terminal, a block at a time: what is complete is written once and never again."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markdown import ListItem, Markdown
from rich.segment import Segment

from durable_loop.cli.canvas import drawn_by_rich
from durable_loop.cli.terminal import Look

__all__ = ["complete_blocks", "rendered"]

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")
# A line that is no plain sentence: a heading, a list, a quote, a table, code, a rule.
_IS_MARKED_UP: Final = re.compile(r"^(?: {0,3}(?:#|[-*+>|`~=]|\d+[.)])|\t| {4})")
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


def complete_blocks(text: str) -> int:
    """Return how many characters of a growing text are complete blocks: no more of it changes how they look.

    A block ends with a blank line. A list goes on after one, and a table or code is not over before its end.
    """
    end, fence, is_list = 0, "", False
    place = 0
    for line in text.splitlines(keepends=True):
        place += len(line)
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
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

    A line end within a paragraph stays one, as in every chat. Links are shown, not hidden behind their words.
    """
    if look.plain:
        return f"{_LABEL} {text}\n" if labelled else f"{text}\n"
    things: list[RenderableType] = []
    if labelled:
        if not text.strip() or _IS_MARKED_UP.match(text):
            things.append(_LABEL)
        else:
            text = f"{_LABEL} {text}"
    things.append(_Markdown(_with_line_ends(text), hyperlinks=False, code_theme="ansi_dark"))
    lines = "\n".join(line.rstrip() for line in drawn_by_rich(things, look).splitlines())
    return lines.strip("\n") + "\n"


def _with_line_ends(text: str) -> str:
    """Return Markdown in which a line end within a paragraph is one."""
    lines, fence = list[str](), ""
    for line in text.splitlines():
        opened = _FENCE.match(line)
        if fence:
            fence = "" if opened and line.strip().startswith(fence) else fence
        elif opened:
            fence = opened[1]
        elif line.strip() and not _IS_MARKED_UP.match(line):
            line = f"{line}  "  # noqa: PLW2901 - two spaces are a line end
        lines.append(line)
    return "\n".join(lines)
