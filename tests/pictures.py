"""Records the README's pictures: `uv run python -m tests.pictures`.

The real program in a real pseudo-terminal, on a stack of its own in a folder of its own; its workers are killed in the
middle. What the terminal shows in the end becomes `docs/chat.svg`, its timeline `docs/timeline.svg`.
"""

import asyncio
import io
import re
import tempfile
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from pathlib import Path
from typing import Final

from pyte.screens import Char
from rich.console import Console
from rich.text import Text

from tests.e2e.commands import PROGRAM
from tests.e2e.terminal import ROOT, Terminal
from tests.stack.stacks import TestStack, a_stack

COLUMNS, ROWS = 100, 40
# Those of the pseudo-terminal that have another name there.
_COLOURS: Final = {"brown": "yellow", "brightbrown": "bright_yellow"}


async def record() -> tuple[str, str]:
    """Return the pictures of a chat and of its timeline."""
    with tempfile.TemporaryDirectory() as folder:
        async with a_stack(Path(folder) / "data") as stack:
            async with _terminal(stack, "client.py") as terminal:
                await _talk(stack, terminal)
                chat = _drawn(terminal, "durable-loop: two workers are killed, the chat goes on")
                async with _terminal(stack, *PROGRAM, "show", _chat_id(terminal)) as shown:
                    await shown.ended()
                    timeline = _drawn(shown, "durable-loop show: what happened, and when")
                terminal.say("quit")
                await terminal.ended()
            await stack.gone()
    return chat, timeline


def _terminal(stack: TestStack, *arguments: str) -> AbstractAsyncContextManager[Terminal]:
    return Terminal.running(*arguments, environment=stack.environment, columns=COLUMNS, rows=ROWS)


def _chat_id(terminal: Terminal) -> str:
    (found,) = set(re.findall(r"chat-\w+", terminal.text))
    return found


async def _talk(stack: TestStack, terminal: Terminal) -> None:
    # Everything has started before the first word, so that its lines stand together.
    await terminal.shows("orchestrator-worker is ready")
    await _say(terminal, "My name is Ada", "I will remember your name.")
    await _say(terminal, "Set the JIRA project to DEMO-123", "JIRA project set to: DEMO-123")
    for part in ("it-worker", "orchestrator-worker"):
        stack.part(part).kill()
    await terminal.shows("died; it is started again", times=2)
    await _say(terminal, "Get JIRA metrics, and what is my name?", "Your name is Ada.")
    await _say(terminal, "/status", "3 messages answered")


async def _say(terminal: Terminal, line: str, answer: str) -> None:
    terminal.say(line)
    await terminal.shows(answer)


def _drawn(terminal: Terminal, title: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    for row in terminal.rows():
        line = Text()
        for style, alike in groupby(row, _style):
            line.append("".join(char.data for char in alike), style)
        line.rstrip()
        console.print(line, soft_wrap=True)
    # The picture needs nothing from elsewhere: whoever looks at it has a font.
    return re.sub(r"@font-face {.*?}\s*", "", console.export_svg(title=title, unique_id="chat"), flags=re.DOTALL)


def _style(char: Char) -> str:
    colour = "default" if char.fg == "default" else _COLOURS.get(char.fg, char.fg.replace("bright", "bright_"))
    looks = {"bold": char.bold, "italic": char.italics, "underline": char.underscore}
    return " ".join([colour, *(look for look, is_so in looks.items() if is_so)])


if __name__ == "__main__":
    for name, picture in zip(("chat", "timeline"), asyncio.run(record()), strict=True):
        (ROOT / "docs" / f"{name}.svg").write_text(picture, encoding="utf-8")
