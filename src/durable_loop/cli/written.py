"""What was said in a chat, as a file: Markdown, JSON, or one page. Everything here is a function of its arguments."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from durable_loop.chat.messages import TranscriptLine
from durable_loop.cli import screen
from durable_loop.cli.page import escaped, page
from durable_loop.cli.timeline import words
from durable_loop.cli.timeline.transcript import transcript
from durable_loop.cli.timeline.value import Timeline

__all__ = ["FORMATS", "WholeChat", "as_html", "as_json", "as_markdown"]

SPEAKERS: Final = {"user": "You", "agent": "Agent", "tool": "Tool", "note": "Note"}
_TICKS: Final = re.compile(r"`+")

_STYLE: Final = """\
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
article { margin: 1rem 0; padding: .5rem 1rem; border-left: .25rem solid #888; }
article.user { border-color: #2563eb; }
article.agent { border-color: #15803d; }
article.tool p, article.note p { font-size: .875rem; }
article.tool p { font-family: ui-monospace, monospace; }
h1, p { white-space: pre-wrap; overflow-wrap: anywhere; }
h2 { font-size: .875rem; margin: 0; }
p { margin: .25rem 0; }
"""


@dataclass(frozen=True)
class WholeChat:
    """A chat and all that was said in it."""

    heading: str
    about: str
    lines: Sequence[TranscriptLine]

    @classmethod
    def of(cls, told: Timeline) -> Self:
        """Return what a timeline tells."""
        return cls(words.heading(told), words.about(told), transcript(told))


def as_markdown(chat: WholeChat) -> str:
    """Return the chat as Markdown: what models and users wrote as they wrote it, tool calls as code."""
    return "\n".join((f"# {chat.heading}\n", f"{chat.about}\n", *map(_markdown, chat.lines)))


def as_json(chat: WholeChat) -> str:
    """Return what was said as a list of lines."""
    lines = [{"role": line.role, "text": line.text} for line in chat.lines]
    return f"{json.dumps(lines, indent=2)}\n"


def as_html(chat: WholeChat) -> str:
    """Return one page that needs nothing else and runs nothing: all that was said is text."""
    about = f"<p>{escaped(chat.about)}</p>"
    return page(chat.heading, style=_STYLE, body="\n".join((about, *_articles(chat))))


FORMATS: Final[Mapping[str, Callable[[WholeChat], str]]] = {"md": as_markdown, "json": as_json, "html": as_html}


def _markdown(line: TranscriptLine) -> str:
    text = screen.printable(line.text)
    match line.role:
        case "tool":
            return f"Tool: {_code(screen.on_one_line(text))}\n"
        case "note":
            return "".join(f"> {part}\n" for part in text.split("\n"))
        case _:
            return f"## {SPEAKERS[line.role]}\n\n{text}\n"


def _code(text: str) -> str:
    """Return a text as code, whatever ticks are in it."""
    ticks = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    space = " " if "`" in (text[:1], text[-1:]) else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _articles(chat: WholeChat) -> Iterator[str]:
    for line in chat.lines:
        yield f'<article class="{line.role}">\n<h2>{SPEAKERS[line.role]}</h2>\n<p>{escaped(line.text)}</p>\n</article>'
