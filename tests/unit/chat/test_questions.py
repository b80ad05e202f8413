"""Which questions are open, what was decided, and which tools ask no more."""

from datetime import UTC, datetime

import pytest

from durable_loop.chat.messages import ChatPhase, ChatPolicy, Decision, Question, Turn, Verdict
from durable_loop.chat.questions import Questions, arguments_to_show
from durable_loop.chat.state import ChatState
from tests.requirements import requirement


def asked(number: int, tool: str = "delete") -> Question:
    """Return a question of turn t1."""
    return Question(
        question_id=f"t1/{number}",
        turn_id="t1",
        about="go",
        tool=tool,
        arguments="no arguments",
        is_cut=False,
        deadline=datetime(2026, 1, 1, tzinfo=UTC),
    )


def decided(number: int, verdict: Verdict) -> Decision:
    """Return a decision on it."""
    return Decision(question_id=f"t1/{number}", verdict=verdict)


def verdicts(questions: Questions, *numbers: int) -> list[Verdict | None]:
    """Return what was decided on each."""
    decisions = [questions.decision(f"t1/{number}") for number in numbers]
    return [decision and decision.verdict for decision in decisions]


def test_a_question_is_open_until_it_is_decided() -> None:
    """In the order in which they were asked; closing forgets both. (ours)"""
    questions = Questions()
    questions.ask(asked(1))
    questions.ask(asked(2))
    questions.decide(decided(1, Verdict.APPROVE))

    assert questions.open == (asked(2),)
    assert verdicts(questions, 1, 2) == [Verdict.APPROVE, None]

    questions.close("t1/1")
    questions.close("t1/2")
    assert questions.open == ()
    assert verdicts(questions, 1, 2) == [None, None]


def test_the_first_decision_counts_and_one_on_nothing_does_nothing() -> None:
    """Two terminals may answer. (ours)"""
    questions = Questions()
    questions.decide(decided(1, Verdict.ALWAYS))
    questions.ask(asked(1))
    assert verdicts(questions, 1) == [None]

    questions.decide(decided(1, Verdict.REJECT))
    questions.decide(decided(1, Verdict.ALWAYS))
    assert verdicts(questions, 1) == [Verdict.REJECT]
    assert questions.approved == ()


def test_always_answers_for_the_tool_now_and_later() -> None:
    """Also what is open of it; no other tool. (ours)"""
    questions = Questions()
    for question in (asked(1), asked(2), asked(3, "add")):
        questions.ask(question)
    questions.decide(decided(1, Verdict.ALWAYS))
    questions.ask(asked(4))

    assert questions.open == (asked(3, "add"),)
    assert verdicts(questions, 2, 4) == [Verdict.ALWAYS, Verdict.APPROVE]
    assert Questions(questions.approved).approved == ("delete",)


def test_a_question_is_asked_once() -> None:
    """An id that comes twice would give one answer to two calls. (ours)"""
    questions = Questions()
    questions.ask(asked(1))

    with pytest.raises(RuntimeError, match="t1/1 was asked before"):
        questions.ask(asked(1))


def running() -> ChatState:
    """Return a chat whose turn t1 runs."""
    state = ChatState(ChatPolicy())
    state.accept(Turn(turn_id="t1", text="go"))
    state.start_next()
    return state


def test_a_chat_that_is_ended_refuses_what_is_asked() -> None:
    """What is open at that moment, and what comes after it. (ours)"""
    state = running()
    state.ask(asked(1))
    state.end()
    state.ask(asked(2))

    assert state.phase is ChatPhase.ENDED
    assert state.questions.open == ()
    assert verdicts(state.questions, 1, 2) == [Verdict.REJECT, Verdict.REJECT]


def test_only_the_running_turn_asks() -> None:
    """A question of another turn would be answered by nobody. (ours)"""
    with pytest.raises(RuntimeError, match="turn t1 is not running"):
        ChatState(ChatPolicy()).ask(asked(1))


def test_what_needs_no_question_any_more_is_carried_over() -> None:
    """Into the next run of the chat. (ours)"""
    state = ChatState(ChatPolicy())
    state.questions.ask(asked(1))
    state.questions.decide(decided(1, Verdict.ALWAYS))

    assert ChatState(ChatPolicy(), state.carry()).questions.approved == ("delete",)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ('{"what": "it", "how": {"fast": true}}', '"what": "it"\n"how": {"fast": true}'),
        ("{}", "no arguments"),
        ('{"what": "prod",' + "\n" * 200 + ' "note": "a dry run"}', '"what": "prod"\n"note": "a dry run"'),
        ('{"what": "scratch", "w\\u0068at": "prod"}', '"what": "prod"'),
        ('{"what": "a\\nb"}', '"what": "a\\nb"'),
        ('{"w\\nhat": "a"}', '"w\\nhat": "a"'),
        ('{"what": "naïve 😀"}', '"what": "naïve 😀"'),
        ('"it"', '"it"'),
        ("[1, 2]", "[1, 2]"),
        ("}{\nnot JSON", '"}{\\nnot JSON"'),
        ("[" * 100_000, None),
    ],
    ids=lambda value: str(value)[:30],
)
@requirement("mcp.inputs-shown")
def test_arguments_are_shown_as_their_tool_will_read_them(raw: str, shown: str | None) -> None:
    """One to a line, whatever a model does to hide one. (ours)"""
    text, is_cut = arguments_to_show(raw)

    assert is_cut is (shown is None)
    assert text == shown or is_cut


@pytest.mark.parametrize(
    "raw",
    [
        '{"note": "' + "x" * 8_000 + '", "what": "prod"}',
        '{"what": "' + "x" * 800 + "prod" + "x" * 800 + '"}',
        "{" + ", ".join(f'"argument-{number}": "{number}"' for number in range(1_000)) + "}",
    ],
    ids=["one is long", "the middle of one", "many"],
)
def test_what_is_cut_says_so(raw: str) -> None:
    """In the middle: both ends are shown, and what comes after a long argument is not pushed off. (ours)"""
    text, is_cut = arguments_to_show(raw)

    assert is_cut
    assert "characters left out" in text
    assert len(text) < 6_200
    assert text[-1] == raw[-2]
