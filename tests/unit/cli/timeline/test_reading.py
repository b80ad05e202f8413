"""From events to a timeline: over the stored histories, and over what none of them holds."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from durable_loop import names
from durable_loop.cli.timeline.loading import of_file
from durable_loop.cli.timeline.reading import timeline
from durable_loop.cli.timeline.value import Kind, Outcome, Step, TimedTurn, Timeline, Tokens
from durable_loop.errors import SettingsError
from durable_loop.testing.histories.redaction import redacted
from tests.requirements import requirement
from tests.unit.cli.timeline.made import BEGIN, MadeHistory, called, said
from tests.unit.testing.histories.samples import encoded, history

CALL_TOOL = "temporalio.mcp.finance.call-tool"
LIST_TOOLS = "temporalio.mcp.finance.list-tools"
PRICE = {"name": "stock_price", "arguments": {"ticker": "AAPL"}}
GAVE = {"content": [{"type": "text", "text": "185.50"}]}


def of(made: MadeHistory, **more: Any) -> Timeline:
    """Return the timeline of a history made by hand."""
    return timeline([made.history()], **more)


def steps(turn: TimedTurn, *kinds: Kind) -> list[tuple[str, str, Outcome]]:
    """Return what the steps of some kinds are about, what they gave, and what that is."""
    return [(step.name, step.gave, step.outcome) for step in turn.steps if not kinds or step.kind in kinds]


def one(turn: TimedTurn, kind: Kind) -> Step:
    """Return the only step of its kind."""
    (step,) = [step for step in turn.steps if step.kind is kind]
    return step


@requirement("cli.timeline")
def test_each_turn_has_its_own_steps() -> None:
    """Model calls, tools and lists of tools, with what was asked and given. (ours)"""
    told = timeline([history("chat/mcp-tools")])

    assert (told.chat_id, told.title, told.model, told.state) == ("chat-mcp-tools", "AAPL?", "offline", "open")
    assert [(turn.number, turn.text, turn.answer) for turn in told.turns] == [
        (1, "AAPL?", "185.50."),
        (2, "ROI?", "16,288.95."),
        (3, "JIRA and IP", "Done."),
    ]
    assert [step.kind for step in told.turns[0].steps] == [
        Kind.MCP_LIST,
        Kind.MCP_LIST,
        Kind.MODEL,
        Kind.MCP_TOOL,
        Kind.MODEL,
    ]
    call = one(told.turns[0], Kind.MCP_TOOL)
    assert (call.name, call.asked) == ("finance.stock_price", '{"ticker": "AAPL"}')
    assert call.gave == "The current stock price of AAPL is $185.50 (demo data)"
    assert (told.retries, told.gaps) == (0, 0)


def test_a_local_tool_is_a_step() -> None:
    """With what it was asked and what it gave. (ours)"""
    (turn,) = timeline([history("chat/local-tool")]).turns

    tool = one(turn, Kind.TOOL)
    assert (tool.name, tool.asked, tool.gave) == ("calculator", '{"expression": "15 * 23"}', "15 * 23 = 345")


@requirement("cli.timeline")
def test_a_worker_that_was_killed_is_a_retry_and_a_gap() -> None:
    """The activity that it had was tried again, and the task of the chat waited for another worker. (ours)"""
    told = timeline([history("chat/worker-killed-in-mid-turn")])

    (turn,) = told.turns
    call = one(turn, Kind.MCP_TOOL)
    assert (call.attempts, call.max_attempts, call.last_failure) == (2, 6, "the worker that ran it is gone.")
    assert steps(turn, Kind.GAP) == [
        ("finance.stock_price", "its worker was gone", Outcome.DONE),
        ("the chat", "its worker was gone", Outcome.DONE),
    ]
    assert (told.retries, told.gaps) == (1, 2)


def test_questions_have_what_the_user_said() -> None:
    """One was allowed, for the other nobody came in time; nobody waited for the answer. (ours)"""
    (turn,) = timeline([history("chat/asked-first")]).turns

    assert steps(turn, Kind.QUESTION) == [
        ("it.track_ip", "allowed", Outcome.DONE),
        ("it.set_jira_project", "nobody answered in time", Outcome.REFUSED),
    ]
    assert (turn.outcome, turn.answer) == (Outcome.DONE, "Done.")


def test_a_failed_turn_says_why_and_the_next_one_goes_on() -> None:
    """In the words that the user read. (ours)"""
    failed, answered = timeline([history("chat/failed-turn")]).turns

    assert (failed.outcome, failed.answer) == (Outcome.FAILED, "The model could not answer: no such model.")
    assert steps(failed)[-1] == ("offline", "no such model.", Outcome.FAILED)
    assert (answered.outcome, answered.answer, len(answered.steps)) == (Outcome.DONE, "Here.", 1)


def test_what_is_not_over_has_no_time() -> None:
    """A run that was left in the middle of a turn. (ours)"""
    (turn,) = timeline([history("chat/left-open-in-mid-turn")]).turns

    assert (turn.outcome, turn.time, turn.answer) == (Outcome.OPEN, None, "")
    assert (turn.steps[-1].outcome, turn.steps[-1].time) == (Outcome.OPEN, None)


def test_all_runs_of_a_chat_are_one_timeline() -> None:
    """Where the first is not there any more, it is said how many turns were before. (ours)"""
    first, following = history("chat/continued-as-new.first-run"), history("chat/continued-as-new.next-run")

    whole = timeline([first, following])
    assert [turn.number for turn in whole.turns] == [1, 2]
    assert (whole.runs, whole.turns_before, whole.title) == (2, 0, "My name is Ada")
    assert [part.name for part in whole.parts if isinstance(part, Step)] == ["goes on in a new run"]
    rest = timeline([following])
    assert [turn.number for turn in rest.turns] == [2]
    assert (rest.turns_before, rest.title) == (1, "My name is Ada")


@pytest.mark.parametrize("path", sorted(Path("fixtures/histories/chat").glob("*.json")), ids=lambda path: path.stem)
def test_every_stored_history_of_a_chat_can_be_drawn(path: Path) -> None:
    """Each has a turn, and each turn of it something that was done. (ours)"""
    assert [turn for turn in of_file(path).turns if turn.steps]


def test_a_history_without_what_was_said_is_drawn_as_well() -> None:
    """As `durable-loop history pull --redact` keeps it. (ours)"""
    whole = history("chat/mcp-tools")
    told, covered = timeline([whole]), timeline([redacted(whole)])

    assert [turn.outcome for turn in covered.turns] == [turn.outcome for turn in told.turns]
    assert [step.kind for step in covered.steps] == [step.kind for step in told.steps]
    assert covered.turns[0].text != told.turns[0].text


def test_tokens_are_counted_by_call_and_turn() -> None:
    """As the provider said. (ours)"""
    made = MadeHistory()
    made.asks("t1", "AAPL?")
    made.model({**called("stock_price"), "usage": {"input_tokens": 10, "output_tokens": 1}})
    made.model(said("185.50", tokens=(20, 2)))

    told = of(made)
    assert [step.tokens for step in told.steps] == [Tokens(10, 1), Tokens(20, 2)]
    assert told.turns[0].tokens == told.tokens == Tokens(30, 3)


def test_a_retry_that_is_no_fault_of_a_worker_is_no_gap() -> None:
    """The model was busy. (ours)"""
    made = MadeHistory()
    made.asks("t1", "Hi")
    call = made.schedules("invoke_model_activity", {"model_name": "gpt-4"})
    busy = {"message": "429: slow down", "applicationFailureInfo": {"type": "ModelUnavailableError"}}
    made.wait(60).starts(call, attempt=4, failure=busy)
    made.wait(1).gives(call, said("Hello."))

    told = of(made)
    (step,) = told.steps
    assert (step.attempts, step.last_failure, step.time) == (4, "429: slow down.", timedelta(seconds=61))
    assert (told.retries, told.gaps) == (3, 0)


@pytest.mark.parametrize(("seconds", "gaps"), [(5, []), (5.1, ["stock_price"])], ids=["busy", "away"])
def test_an_activity_that_nobody_takes_is_a_gap(seconds: float, gaps: list[str]) -> None:
    """Five seconds are patience. (ours)"""
    made = MadeHistory()
    made.asks("t1", "AAPL?")
    made.model(called("stock_price"))
    call = made.schedules(CALL_TOOL, PRICE)
    made.wait(seconds).starts(call)
    made.gives(call, GAVE)

    assert [step.name.removeprefix("finance.") for step in of(made).steps if step.kind is Kind.GAP] == gaps


@pytest.mark.parametrize(
    ("timeout", "why"),
    [("HEARTBEAT", ["its worker was gone"]), ("SCHEDULE_TO_START", ["no worker took it"]), ("START_TO_CLOSE", [])],
)
def test_a_last_attempt_that_no_worker_ended_is_a_gap(timeout: str, why: list[str]) -> None:
    """One that took too long had a worker. (ours)"""
    made = MadeHistory()
    made.asks("t1", "AAPL?")
    made.model(called("stock_price"))
    call = made.schedules(CALL_TOOL, PRICE)
    failure = {"message": "timeout", "timeoutFailureInfo": {"timeoutType": f"TIMEOUT_TYPE_{timeout}"}}
    made.wait(9).fails(call, failure, kind="TIMED_OUT")

    (turn,) = of(made).turns
    assert one(turn, Kind.MCP_TOOL).outcome is Outcome.FAILED
    assert [step.gave for step in turn.steps if step.kind is Kind.GAP] == why


def test_tasks_of_the_chat_that_fail_are_one_gap_until_one_is_completed() -> None:
    """It says why; a task that the server gave once more for a message is none. (ours)"""
    made = MadeHistory()
    made.asks("t1", "Hi")
    for cause, failure in (("NON_DETERMINISTIC_ERROR", {"message": "[TMPRL1100] no"}), ("OTHER", {"message": "no"})):
        made.event("WORKFLOW_TASK_SCHEDULED")
        made.event("WORKFLOW_TASK_STARTED")
        made.wait(1).event("WORKFLOW_TASK_FAILED", cause=f"WORKFLOW_TASK_FAILED_CAUSE_{cause}", failure=failure)
    made.event("WORKFLOW_TASK_STARTED")
    made.event("WORKFLOW_TASK_COMPLETED")
    made.event("WORKFLOW_TASK_SCHEDULED")
    made.event("WORKFLOW_TASK_STARTED")
    made.event("WORKFLOW_TASK_FAILED", cause="WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND")
    made.event("WORKFLOW_TASK_STARTED")
    made.event("WORKFLOW_TASK_COMPLETED")

    gaps = [step for step in of(made).steps if step.kind is Kind.GAP]
    assert [(gap.gave, gap.time) for gap in gaps] == [("its worker could not go on: no.", timedelta(seconds=2))]


def test_a_chat_that_no_worker_takes_up_waits_until_now() -> None:
    """In a file nobody knows what now is. (ours)"""
    made = MadeHistory()
    made.event("WORKFLOW_TASK_SCHEDULED")

    assert of(made).gaps == 0
    assert of(made, now=BEGIN + timedelta(seconds=5)).gaps == 0
    (gap,) = of(made, now=BEGIN + timedelta(seconds=6)).steps
    assert (gap.kind, gap.gave, gap.end) == (Kind.GAP, "no worker takes it", None)


def test_turns_that_wait_begin_when_the_one_before_is_over() -> None:
    """Each has what was done for it; one that was cancelled while it waited has nothing. (ours)"""
    made = MadeHistory()
    first = made.asks("t1", "One")
    listing = made.schedules(LIST_TOOLS)
    made.asks("t2", "Two")
    made.asks("t3", "Three")
    made.asks("t1", "One")  # the same turn again
    made.starts(listing)
    made.gives(listing, {"tools": [{"name": "stock_price"}]})
    made.signal(names.SIGNAL_CANCEL_TURN, "t2")
    made.model(said("First."))
    made.model(said("Third."))
    made.tells(first, {"turn_id": "t1", "text": "First.", "notes": ["A note."]})

    one_, two, three = sorted(of(made).turns, key=lambda turn: turn.number)
    assert (one_.outcome, one_.answer, one_.notes, len(one_.steps)) == (Outcome.DONE, "First.", ("A note.",), 2)
    assert (two.outcome, two.steps) == (Outcome.CANCELLED, ())
    assert (three.outcome, three.answer, len(three.steps)) == (Outcome.DONE, "Third.", 1)


def test_a_cancelled_turn_is_over_at_once_and_keeps_what_it_had_begun() -> None:
    """The next activity is that of the next turn. (ours)"""
    made = MadeHistory()
    accepted = made.asks("t1", "Delete it")
    made.model(called("stock_price"))
    made.question("1", "finance.delete")
    call = made.schedules(CALL_TOOL, PRICE)
    made.wait(1).signal(names.SIGNAL_CANCEL_TURN, "t1")
    made.asks("t2", "Hi")
    made.wait(1).event("ACTIVITY_TASK_CANCELED", scheduledEventId=call)
    made.event("TIMER_CANCELED", timerId="1")
    made.refuses(accepted, "TurnCancelledError", "The turn was cancelled.")
    made.model(said("Hello."))

    cancelled, answered = of(made).turns
    assert (cancelled.outcome, cancelled.answer) == (Outcome.CANCELLED, "The turn was cancelled.")
    assert cancelled.time == timedelta(seconds=2)
    assert steps(cancelled)[1:] == [
        ("finance.delete", "", Outcome.CANCELLED),
        ("finance.stock_price", "", Outcome.CANCELLED),
    ]
    assert [step.kind for step in answered.steps] == [Kind.MODEL]


def test_a_turn_with_too_many_model_calls_is_told_from_the_next_one() -> None:
    """Its end is known after the next turn has begun. (ours)"""
    made = MadeHistory()
    accepted = made.asks("t1", "Think")
    made.asks("t2", "Hi")
    made.model(called("stock_price"))
    made.schedules(LIST_TOOLS)
    made.refuses(accepted, "TurnFailedError", "The model was called 1 times without coming to an answer.")

    failed, waiting = of(made).turns
    assert (failed.outcome, len(failed.steps)) == (Outcome.FAILED, 1)
    assert failed.answer.startswith("The model was called 1 times")
    assert (waiting.outcome, len(waiting.steps)) == (Outcome.OPEN, 1)


def test_an_empty_answer_and_a_failure_that_nobody_waited_for_are_failures() -> None:
    """What came of it is in what the chat takes along into its next run. (ours)"""
    made = MadeHistory()
    made.asks("t1", "Hi")
    made.model(said(" "))
    failure = {"kind": "TurnFailedError", "message": "The model sent something that cannot be used."}
    carried = {"outcomes": [{"turn_id": "t1", "failure": failure}], "turns": 1}
    made.event("WORKFLOW_EXECUTION_CONTINUED_AS_NEW", input=encoded({"model": "gpt-4", "carried": carried}))

    (turn,) = of(made).turns
    assert (turn.outcome, turn.answer) == (Outcome.FAILED, "The model sent something that cannot be used.")


def test_a_tool_that_answers_with_an_error_has_failed() -> None:
    """The turn goes on. (ours)"""
    made = MadeHistory()
    made.asks("t1", "AAPL?")
    made.model(called("stock_price"))
    call = made.schedules(CALL_TOOL, PRICE)
    made.starts(call)
    made.gives(call, {"content": [{"type": "text", "text": "no such ticker"}, {"type": "image"}], "is_error": True})
    made.model(said("Sorry."))

    (turn,) = of(made).turns
    assert steps(turn, Kind.MCP_TOOL) == [("finance.stock_price", 'no such ticker\n{"type": "image"}', Outcome.FAILED)]
    assert turn.outcome is Outcome.DONE


def test_one_yes_to_all_calls_of_a_tool_decides_the_others() -> None:
    """A no has its reason; what is open when the chat ends is refused. (ours)"""
    made = MadeHistory()
    accepted = made.asks("t1", "Do it")
    made.model(called("delete"))
    for timer, tool in (("1", "it.delete"), ("2", "it.delete"), ("3", "it.move"), ("4", "it.rename")):
        made.question(timer, tool)
    # The first number went to a question that had its answer before it was asked.
    made.tells(accepted, {"turn_id": "t1", "questions": ["t1/2", "t1/3", "t1/4", "t1/5"]})
    made.signal(names.SIGNAL_DECIDE, {"question_id": "t1/2", "verdict": "always"})
    made.signal(names.SIGNAL_DECIDE, {"question_id": "t1/4", "verdict": "reject", "reason": "not that"})
    made.signal(names.SIGNAL_END_CHAT)
    for timer in ("1", "2", "3", "4"):
        made.event("TIMER_CANCELED", timerId=timer)

    (turn,) = of(made).turns
    assert steps(turn, Kind.QUESTION) == [
        ("it.delete", "allowed, and always from now on", Outcome.DONE),
        ("it.delete", "allowed", Outcome.DONE),
        ("it.move", "not that", Outcome.REFUSED),
        ("it.rename", "", Outcome.REFUSED),
    ]
    assert [step.name for step in turn.steps if step.kind is Kind.CHAT] == ["told to end"]


def test_a_summary_stands_between_turns() -> None:
    """Also where a turn waits already; the timers of other things are no questions. (ours)"""
    made = MadeHistory()
    made.asks("t1", "One")
    made.event("TIMER_STARTED", timerId="1")
    made.model(said("First."))
    made.asks("t2", "Two")
    made.signal(names.SIGNAL_COMPACT)
    made.model(said("They said one."), summary=True)
    made.event("TIMER_CANCELED", timerId="1")
    made.model(said("Second."))

    parts = of(made).parts
    assert [part.kind if isinstance(part, Step) else part.answer for part in parts] == [
        "First.",
        Kind.CHAT,
        Kind.SUMMARY,
        "Second.",
    ]


def test_a_terminated_chat_says_why() -> None:
    """Whoever did it may have given a reason; a failure is a sentence. (ours)"""
    made = MadeHistory()
    made.event("WORKFLOW_EXECUTION_TERMINATED", reason="by mistake")
    told = of(made)
    assert (told.state, [(step.name, step.gave) for step in told.steps]) == (
        "terminated",
        [("terminated", "by mistake")],
    )

    made = MadeHistory()
    made.event("WORKFLOW_EXECUTION_FAILED", failure={"message": "no"})
    assert [(step.name, step.gave) for step in of(made).steps] == [("failed", "no.")]


@pytest.mark.parametrize(
    ("event", "attributes", "error"),
    [
        ("ACTIVITY_TASK_COMPLETED", {"scheduledEventId": "9"}, "KeyError"),
        ("ACTIVITY_TASK_SCHEDULED", {"activityType": {"name": CALL_TOOL}, "input": encoded("cipher")}, "TypeError"),
        ("WORKFLOW_EXECUTION_SIGNALED", {"signalName": "decide", "input": encoded({"verdict": 1})}, "ValidationError"),
        ("WORKFLOW_EXECUTION_FAILED", {"failure": {"message": []}}, "ParseError"),
    ],
)
@requirement("cli.words")
def test_events_that_are_none_of_a_chat_are_named(event: str, attributes: dict[str, Any], error: str) -> None:
    """Encrypted payloads for one. (ours)"""
    made = MadeHistory()
    made.event(event, **attributes)

    said_ = f"The history of chat-made cannot be read as that of a chat, at its event 2: {error}."
    with pytest.raises(SettingsError) as raised:
        of(made)
    assert str(raised.value) == said_


@requirement("cli.words")
def test_a_history_of_another_workflow_is_no_chat() -> None:
    """It says what it is. (ours)"""
    with pytest.raises(SettingsError, match="is no chat: its history is one of RoiWorkflow"):
        timeline([history("finance/roi")])
