"""The words on the screen, whole."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from durable_loop.chat.messages import Question, Reply, ToolCall, TranscriptLine, UnderWay, Verdict
from durable_loop.cli import screen
from durable_loop.errors import TurnFailedError
from durable_loop.models.naming import resolve_model
from durable_loop.stack.messages import PartState, PartStatus, StackStatus
from tests.requirements import requirement


def status(*notes: str, **parts: PartState) -> StackStatus:
    """Return a stack with these parts."""
    return StackStatus(
        parts=tuple(PartStatus(name=name, state=state, log=Path()) for name, state in parts.items()), notes=notes
    )


def test_the_first_screen_says_which_model_answers() -> None:
    """The offline model openly, with a hint when a key was seen. (ours)"""
    assert screen.welcome(resolve_model(None), hint="OPENAI_API_KEY is set: LLM_MODEL=gpt-4 would use it.") == (
        "durable-loop: kill anything at any moment; no turn is lost, repeated or mixed up.\n"
        "Model: the offline model (rule-based, no key, no network). Set LLM_MODEL to use a real one.\n"
        "OPENAI_API_KEY is set: LLM_MODEL=gpt-4 would use it.\n"
        "Type a message; /help lists the commands; `quit` or Ctrl-D leaves, and the chat stays.\n"
    )
    assert screen.welcome(resolve_model("gpt-4"), hint=None).splitlines()[1] == "Model: openai/gpt-4"


def test_a_reply_is_shown_with_its_notes() -> None:
    """What was missing is said below the answer. (ours)"""
    answer = Reply(turn_id="t1", text="Two.\nReally.", notes=("The it tools are not available: no answer in 10 s.",))

    assert screen.reply(answer) == ("Agent: Two.\nReally.\n  (The it tools are not available: no answer in 10 s.)\n")
    assert screen.failure(TurnFailedError("The model is away.")) == "No reply: The model is away.\n"


def test_what_is_tried_again_is_shown_with_the_reason() -> None:
    """On one line, and nothing of a first attempt. (ours)"""
    first = UnderWay(call="1", what="it tool list", attempt=1, max_attempts=6)
    again = UnderWay(call="1", what="model call", attempt=2, max_attempts=6, last_error="429:\nslow \x1b[2Jdown.")

    assert screen.retries([first]) == ""
    assert screen.retries([first, again]) == "model call, attempt 2 of 6: 429: slow [2Jdown."


def test_what_happens_now_is_one_line_with_the_time_it_has_taken() -> None:
    """Thinking, calling, trying again. (ours)"""
    thinks = UnderWay(call="1", what="model call", attempt=1, max_attempts=6)
    lists = UnderWay(call="2", what="finance tool list", attempt=1, max_attempts=6)
    again = UnderWay(call="1", what="model call", attempt=2, max_attempts=6, last_error="503.")
    price = ToolCall(tool="stock_price", arguments='{"ticker": "AAPL"}', is_over=False)
    broken = ToolCall(tool="roi", arguments='{"rate": 5, "ye', is_over=False)

    assert screen.doing([], [], seconds=5) == ""
    assert screen.doing([thinks], [], seconds=0.4) == "thinking"
    assert screen.doing([lists, thinks], [], seconds=2.2) == "finance tool list; thinking, 2 s"
    assert screen.doing([lists], [price, broken], seconds=3) == (
        'calling stock_price with AAPL; calling roi with {"rate": 5, "ye, 3 s'
    )
    assert screen.doing([again], [price], seconds=9) == "model call, attempt 2 of 6: 503., 9 s"
    assert screen.doing([thinks], [price.model_copy(update={"is_over": True})], seconds=1) == "thinking, 1 s"


ASKED = Question(
    question_id="t1/1",
    turn_id="t1",
    about="Delete\nall.",
    tool="vault.delete",
    arguments='"what": "\x1b[2Jall"\n"how": "fast"',
    is_cut=False,
    deadline=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
)
CUT = ASKED.model_copy(update={"is_cut": True})


@requirement("mcp.inputs-shown")
def test_a_question_shows_what_would_be_done() -> None:
    """For which message, the tool, each argument on a line, and until when it can be allowed. (ours)"""
    until = ASKED.deadline.astimezone().strftime("%Y-%m-%d %H:%M")
    assert screen.question(ASKED) == (
        'The agent wants to call vault.delete (for "Delete all."):\n'
        '  "what": "[2Jall"\n'
        '  "how": "fast"\n'
        f"  (refused if unanswered by {until})\n"
    )
    forged = ASKED.model_copy(update={"tool": 'vault.list\n  "what": "nothing"\n  (only read)\n'})
    assert len(screen.question(forged).splitlines()) == len(screen.question(ASKED).splitlines())
    assert screen.may_it(ASKED).startswith("Allow it? y(es)")
    assert screen.may_it(CUT).startswith("Not all of it can be shown.")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("y", (Verdict.APPROVE, "")),
        (" YES ", (Verdict.APPROVE, "")),
        ("a", (Verdict.ALWAYS, "")),
        ("always", (Verdict.ALWAYS, "")),
        ("n", (Verdict.REJECT, "")),
        ("No", (Verdict.REJECT, "")),
        ("n not that one", (Verdict.REJECT, "not that one")),
        ("no, not that one", (Verdict.REJECT, "not that one")),
    ],
)
def test_an_answer_is_a_word_and_a_no_may_have_a_reason(typed: str, meant: tuple[Verdict, str]) -> None:
    """As the prompt says. (ours)"""
    decision = screen.decision(ASKED, typed)

    assert decision is not None
    assert (decision.question_id, decision.verdict, decision.reason) == ("t1/1", *meant)


@pytest.mark.parametrize(
    "typed", ["", "  ", "yse", "sure", "y and what is the weather?", "Always ask me", "not that one"]
)
@requirement("approval.one-answer")
def test_what_is_no_clear_answer_is_none(typed: str) -> None:
    """It is asked again: nothing is allowed by a slip, and no message is taken for a reason. (ours)"""
    assert screen.decision(ASKED, typed) is None


def test_what_cannot_be_shown_takes_more_than_a_letter() -> None:
    """And is never allowed for good. (ours)"""
    allowed = screen.decision(CUT, "yes")

    assert allowed is not None
    assert allowed.verdict is Verdict.APPROVE
    assert [screen.decision(CUT, typed) for typed in ("y", "a", "always")] == [None, None, None]
    assert screen.decision(CUT, "n") is not None


@requirement("security.screen")
def test_text_of_models_and_tools_cannot_speak_to_the_terminal() -> None:
    """No escape sequence, no bell, no right-to-left override. (ours)"""
    hostile = "\x1b]0;title\x07\x1b[2J\r\x08ok\u202e\x9b31m\ttab\nline"

    assert screen.printable(hostile) == "]0;title[2Jok31m\ttab\nline"
    assert screen.printable("Grüße 👋 العربية") == "Grüße 👋 العربية"


def test_a_transcript_is_shown_as_a_dialogue() -> None:
    """With the tools that were called. (ours)"""
    shown = screen.transcript(
        [
            TranscriptLine(role="user", text="AAPL?"),
            TranscriptLine(role="tool", text="stock_price({})"),
            TranscriptLine(role="agent", text="185.50"),
        ]
    )

    assert shown == "You: AAPL?\n  tool: stock_price({})\nAgent: 185.50\n"


def test_what_is_not_ready_yet_is_on_one_line() -> None:
    """Empty when everything is. (ours)"""
    assert screen.starting(status(a=PartState.READY, b=PartState.STARTING, c=PartState.RESTARTING)) == (
        "Starting: b, c (again) …"
    )
    assert screen.starting(status(a=PartState.READY)) == ""


def test_a_stack_that_runs_already_is_no_news() -> None:
    """Only what happens to it from then on. (ours)"""
    written: list[str] = []
    progress = screen.Progress(written.append)
    progress(status(a=PartState.READY, b=PartState.READY))
    assert written == []
    progress(status(a=PartState.RESTARTING, b=PartState.READY))

    assert written == ["  a died; it is started again\n"]


def test_each_change_of_the_stack_is_said_once() -> None:
    """A part that dies and comes back is said again. (ours)"""
    written: list[str] = []
    progress = screen.Progress(written.append)
    for state in (
        status("Port 1 is taken.", a=PartState.STARTING),
        status("Port 1 is taken.", a=PartState.READY),
        status("Port 1 is taken.", a=PartState.READY),
        status("Port 1 is taken.", a=PartState.RESTARTING),
        status("Port 1 is taken.", a=PartState.STARTING),
        status("Port 1 is taken.", a=PartState.READY),
    ):
        progress(state)

    assert "".join(written) == ("  Port 1 is taken.\n  a is ready\n  a died; it is started again\n  a is ready\n")
