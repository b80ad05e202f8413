"""What was said before, as lines for a terminal or a pipe. Everything here is a function of its arguments."""

from collections.abc import Iterable

from durable_loop.chat.messages import TranscriptLine, TurnOutcome
from durable_loop.cli import screen
from durable_loop.cli.markdown import rendered
from durable_loop.cli.terminal import Look

__all__ = ["reply_of", "spoken"]


def spoken(lines: Iterable[TranscriptLine], look: Look | None) -> str:
    """Return what was said; `look` None: for a program that reads it."""
    return "".join(_spoken(line, look) for line in lines)


def reply_of(outcome: TurnOutcome, look: Look | None) -> str:
    """Return what a turn came to."""
    if outcome.reply is None:
        return screen.no_reply(outcome.failure.message if outcome.failure else "")
    return spoken([TranscriptLine(role="agent", text=outcome.reply.text)], look) + screen.notes(outcome.reply)


def _spoken(line: TranscriptLine, look: Look | None) -> str:
    if look is not None and line.role == "agent":
        return rendered(screen.printable(line.text), look, labelled=True)
    return screen.transcript([line])
