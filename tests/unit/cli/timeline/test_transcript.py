"""What was said, from a timeline."""

from dataclasses import replace

from durable_loop.chat.messages import TranscriptLine
from durable_loop.cli.timeline.reading import timeline
from durable_loop.cli.timeline.transcript import transcript
from durable_loop.cli.timeline.value import Outcome
from tests.unit.cli.timeline.samples import TOLD
from tests.unit.testing.histories.samples import history


def said(*lines: tuple[str, str]) -> list[TranscriptLine]:
    """Return lines of a transcript."""
    return [TranscriptLine.model_validate({"role": role, "text": text}) for role, text in lines]


def test_turns_are_told_one_after_the_other() -> None:
    """Below what is remembered of those before: messages, calls, replies, notes, and why there is no reply. (ours)"""
    assert transcript(TOLD) == said(
        ("note", "They said hello."),
        ("user", "What is\nAAPL at?"),
        ("tool", 'stock_price({"ticker":"AAPL"})'),
        ("agent", "**185.50**"),
        ("note", "The it tools are not available."),
        ("user", "And?"),
        ("note", "[This turn has no answer: The model could not answer: no.]"),
        ("user", "Hello?"),
    )


def test_a_cancelled_turn_of_which_nothing_is_told_says_so() -> None:
    """Nobody waited for it. (ours)"""
    turn = replace(TOLD.turns[1], outcome=Outcome.CANCELLED, answer="", steps=())

    assert transcript(replace(TOLD, parts=(turn,), remembered=())) == said(
        ("user", "And?"), ("note", "[This turn has no answer: it was cancelled.]")
    )


def test_what_the_chat_itself_would_tell_is_told() -> None:
    """Over two runs; of the second one alone, what it began with. (ours)"""
    first, second = (history(f"chat/continued-as-new.{run}-run") for run in ("first", "next"))
    lines = said(("user", "My name is Ada"), ("agent", "Hello Ada."), ("user", "Who am I?"), ("agent", "You are Ada."))

    assert transcript(timeline([first, second])) == lines
    assert transcript(timeline([second])) == lines
