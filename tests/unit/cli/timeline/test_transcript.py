"""What was said, from a timeline."""

from dataclasses import replace

from durable_loop.chat.messages import TranscriptLine
from durable_loop.cli.timeline.reading import timeline
from durable_loop.cli.timeline.transcript import transcript
from durable_loop.cli.timeline.value import Outcome
from tests.unit.cli.timeline.made import MadeHistory
from tests.unit.cli.timeline.samples import TOLD
from tests.unit.testing.histories.samples import history


def said(*lines: tuple[str, str]) -> list[TranscriptLine]:
    """Return lines of a transcript."""
    return [TranscriptLine.model_validate({"role": role, "text": text}) for role, text in lines]


def test_a_turn_that_is_sent_again_is_told_once() -> None:
    """Its first run is gone, and with it the events: it is in what the chat remembered. (ours)"""
    reply = {"turn_id": "t1", "text": "Hello Ada."}
    began = [{"role": "user", "content": "I am Ada"}, {"role": "assistant", "content": [{"text": "Hello Ada."}]}]
    made = MadeHistory(
        {"transcript": began, "outcomes": [{"turn_id": "t1", "said": "I am Ada", "reply": reply}], "turns": 1}
    )
    made.tells(made.asks("t1", "I am Ada"), reply)
    made.asks("t2", "And?")

    told = timeline([made.history()])

    assert transcript(told) == said(("user", "I am Ada"), ("agent", "Hello Ada."), ("user", "And?"))
    assert [turn.number for turn in told.turns] == [2]


def test_a_turn_that_failed_without_a_word_is_not_told_as_cancelled() -> None:
    """An answer of a model that was blank. (ours)"""
    turn = replace(TOLD.turns[1], answer="", steps=())

    assert transcript(replace(TOLD, parts=(turn,), remembered=())) == said(
        ("user", "And?"), ("note", "[This turn has no answer: it failed.]")
    )


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
