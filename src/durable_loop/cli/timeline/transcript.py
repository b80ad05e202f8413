"""What was said in a chat, from its timeline: also in the turns of which the chat itself remembers a summary."""

from collections.abc import Iterator
from typing import Final

from durable_loop.chat.messages import TranscriptLine
from durable_loop.cli.timeline.value import Outcome, TimedTurn, Timeline

__all__ = ["transcript"]

_WITHOUT_A_REASON: Final = {Outcome.FAILED: "it failed.", Outcome.CANCELLED: "it was cancelled."}


def transcript(told: Timeline) -> list[TranscriptLine]:
    """Return who said what, in order, and which tools were called.

    Of turns of which the events are not there any more, it is what the chat remembered of them.
    """
    return [*told.remembered, *(line for turn in told.turns for line in _turn(turn))]


def _turn(turn: TimedTurn) -> Iterator[TranscriptLine]:
    yield TranscriptLine(role="user", text=turn.text)
    for step in turn.steps:
        yield from step.said
    if (nothing_told := _WITHOUT_A_REASON.get(turn.outcome)) is not None:
        yield TranscriptLine(role="note", text=f"[This turn has no answer: {turn.answer or nothing_told}]")
    for note in turn.notes:
        yield TranscriptLine(role="note", text=note)
