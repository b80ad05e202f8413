"""What each recorded history shows: facts that matter are asserted here, not only recorded."""

import json
import re

from durable_loop import names
from tests.replay.reading import history, outcome, payloads, reason
from tests.requirements import requirement

LIST_TOOLS = ["temporalio.mcp.finance.list-tools", "temporalio.mcp.it.list-tools"]
CALL_FINANCE, CALL_IT = "temporalio.mcp.finance.call-tool", "temporalio.mcp.it.call-tool"
MODEL = "invoke_model_activity"


def test_a_turn_lists_tools_calls_the_model_runs_the_tool_and_calls_the_model_again() -> None:
    """The order that replay pins. (ours)"""
    assert history("chat/one-turn").activities() == [*LIST_TOOLS, MODEL]
    assert history("chat/local-tool").activities() == [*LIST_TOOLS, MODEL, "calculator", MODEL]


def test_tools_are_listed_once_for_a_whole_run() -> None:
    """Three turns, six tool calls, one listing. (ours)"""
    activities = history("chat/mcp-tools").activities()

    assert [activity for activity in activities if activity in LIST_TOOLS] == LIST_TOOLS
    assert (activities.count(CALL_FINANCE), activities.count(CALL_IT)) == (2, 4)


def test_the_history_names_the_model_input_and_does_not_hold_it() -> None:
    """What the user said is in the history once, with the update. (ours)"""
    texts = list(payloads(history("chat/mcp-tools")))

    assert sum("JIRA and IP" in text for text in texts) == 1
    assert sum("durable-loop/model-input:" in text for text in texts) == 9


def test_the_turn_of_a_killed_worker_is_ended_by_another_one() -> None:
    """The call that ran was missed by its heartbeat and made again; what had ended was not. (ours)"""
    recorded = history("chat/worker-killed-in-mid-turn")

    assert recorded.activities() == [*LIST_TOOLS, MODEL, CALL_FINANCE, MODEL]
    starts = [(started["attempt"], reason(started)) for started in recorded.attributes("activityTaskStarted")]
    assert sorted(starts) == [(1, None)] * 4 + [(2, "TIMEOUT_TYPE_HEARTBEAT")]
    assert recorded.count("EVENT_TYPE_ACTIVITY_TASK_COMPLETED") == 5
    assert recorded.count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0
    # The worker that had the chat in its cache does not answer: the next task is taken by another one.
    assert recorded.count("EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT") == 1
    assert [outcome(completed) for completed in recorded.attributes("workflowExecutionUpdateCompleted")] == ["185.50."]


def test_the_chat_that_was_left_open_is_in_mid_turn() -> None:
    """Its update is accepted and not completed, its second model call is under way. (ours)"""
    recorded = history("chat/left-open-in-mid-turn")

    assert recorded.event_types[-1] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"
    assert recorded.count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == 1
    assert recorded.count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 0
    assert recorded.activities().count(MODEL) == 2


def test_the_failed_turn_is_followed_by_one_that_works() -> None:
    """The first update fails with words for the user, the second has a reply, no workflow task failed. (ours)"""
    recorded = history("chat/failed-turn")

    assert recorded.activities() == [*LIST_TOOLS, MODEL, "calculator", MODEL, MODEL]
    assert recorded.count("EVENT_TYPE_ACTIVITY_TASK_FAILED") == 1
    assert [outcome(completed) for completed in recorded.attributes("workflowExecutionUpdateCompleted")] == [
        "TurnFailedError: The model could not answer: no such model.",
        "Here.",
    ]
    assert recorded.count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


def test_a_run_that_hands_over_is_followed_by_one_that_has_the_transcript() -> None:
    """Continue-as-new answers what it accepted, and carries what was said. (ours)"""
    first, following = history("chat/continued-as-new.first-run"), history("chat/continued-as-new.next-run")

    assert first.workflow_id == following.workflow_id
    assert first.event_types[-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    (answered,) = first.attributes("workflowExecutionUpdateCompleted")
    assert outcome(answered) == "Hello Ada."
    (handed_over,) = first.attributes("workflowExecutionContinuedAsNew")
    (begun,) = following.attributes("workflowExecutionStarted")
    assert begun["originalExecutionRunId"] == handed_over["newExecutionRunId"]
    assert begun["input"] == handed_over["input"]
    carried = next(payloads(begun["input"]))
    assert "My name is Ada" in carried
    assert "Hello Ada." in carried


@requirement("tools.backed-by-workflows")
def test_a_finance_call_is_a_workflow_of_one_activity_under_the_key_of_the_call() -> None:
    """Its result is the tool's. (seed)"""
    for id_, activity, result in (
        ("finance/stock-price", "stock_price", {"ticker": "AAPL", "price": 185.5}),
        ("finance/roi", "calculate_roi", {"final_value": 16288.95}),
        ("it/jira-metrics", "jira_metrics", {"project": "DEMO-123"}),
    ):
        recorded = history(id_)
        (completed,) = recorded.attributes("workflowExecutionCompleted")

        assert recorded.activities() == [activity]
        assert json.loads(next(payloads(completed))).items() >= result.items()
        assert re.search(r"chat-mcp-tools/turn-([123]/1|3/2)$", recorded.workflow_id)


@requirement("it.session")
def test_an_it_session_is_changed_by_signals_and_stays_open() -> None:
    """It has the chat's id, waits, and runs no activity of its own. (seed)"""
    recorded = history("it/session")

    signals = [signal["signalName"] for signal in recorded.attributes("workflowExecutionSignaled")]
    assert signals == [names.SIGNAL_SET_JIRA_PROJECT, names.SIGNAL_TRACK_IP]
    assert recorded.workflow_id == names.ID_IT_SESSION + history("chat/mcp-tools").workflow_id
    assert recorded.event_types[-1] == "EVENT_TYPE_WORKFLOW_TASK_COMPLETED"
    assert recorded.activities() == []


def test_an_it_session_that_hands_over_carries_its_addresses() -> None:
    """Nothing that was answered is lost. (ours)"""
    recorded = history("it/session-continued-as-new")

    (handed_over,) = recorded.attributes("workflowExecutionContinuedAsNew")
    carried = json.loads(next(payloads(handed_over["input"])))
    signals = recorded.count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED")
    assert recorded.event_types[-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert len(carried["history"]["addresses"]) == len(carried["answers"]) == signals > 1
