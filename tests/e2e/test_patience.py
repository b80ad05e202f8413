"""A model that takes its time is left alone; the limits that are set are those that Temporal holds to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes

from durable_loop.chat.messages import ChatInput
from durable_loop.settings import Settings
from durable_loop.testing import Environment, McpTransport, RecordedHistory, Script, TestedChat, calls, over_http, says
from tests.e2e.hostile import Slow, rough_tools
from tests.e2e.mcp_http import NOWHERE
from tests.e2e.waiting import eventually
from tests.requirements import requirement

HEARTBEAT = timedelta(seconds=0.5)

# None of these is a default.
ACTIVITY_LIMITS: Mapping[str, Any] = {
    "model_timeout": timedelta(minutes=11),
    "model_total_timeout": timedelta(minutes=44),
    "model_attempts": 5,
    "tool_timeout": timedelta(seconds=41),
    "tool_attempts": 4,
    "heartbeat_timeout": timedelta(seconds=7),
    "first_retry_after": timedelta(seconds=0.25),
}
CHAT_LIMITS: Mapping[str, Any] = {
    "max_message_chars": 1_001,
    "max_model_calls": 7,
    "max_transcript_tokens": 9_000,
    "max_run_events": 1_003,
    "max_run_bytes": 3_000_000,
    "approval": ("no_such_tool",),
    "approval_deadline": timedelta(hours=3),
}


@dataclass(frozen=True)
class Limits:
    """How long an activity may take, once and with its retries, and how it is tried again."""

    timeout: timedelta
    total_timeout: timedelta
    attempts: int
    heartbeat_timeout: timedelta = timedelta(seconds=7)
    first_retry_after: timedelta = timedelta(seconds=0.25)


MODEL_LIMITS = Limits(timeout=timedelta(minutes=11), total_timeout=timedelta(minutes=44), attempts=5)
# All tries of a tool, together, may take as long as two of them.
TOOL_LIMITS = Limits(timeout=timedelta(seconds=41), total_timeout=timedelta(seconds=82), attempts=4)
TOOL_ACTIVITIES = {"calculator", "weather", "list-tools", "call-tool"}


@requirement("durability.slow-model")
async def test_a_reply_may_take_many_heartbeat_timeouts(env: Environment) -> None:
    """The worker beats while the model thinks: one attempt, one reply. (ours)"""
    slow = Slow()

    async with env.agent(slow, heartbeat_timeout=HEARTBEAT) as agent:
        chat = agent.chat()
        sending = asyncio.create_task(chat.send("think"))
        await eventually(lambda: has_beaten_for(chat, 5 * HEARTBEAT))
        (doing,) = await chat.under_way()
        slow.let.set()

        assert (await sending).text == "think"
        assert doing.attempt == 1


@requirement("durability.slow-model")
def test_a_reply_may_take_ten_minutes_by_default() -> None:
    """And longer, before it is tried again. (ours)"""
    assert Settings().model_timeout > timedelta(minutes=10)
    assert Settings().model_total_timeout > 2 * Settings().model_timeout


@requirement("durability.settings")
async def test_every_limit_of_a_chat_is_a_setting(env: Environment) -> None:
    """What is scheduled has the timeouts and tries that the settings name; the chat has the other limits. (ours)"""
    rest = calls("stock_price", ticker="AAPL"), says("Done.")
    script = Script(calls("calculator", expression="1+1"), calls("weather", city="Rome"), *rest)

    async with env.agent(script, **ACTIVITY_LIMITS, **CHAT_LIMITS) as agent:
        chat = agent.chat()
        await chat.send("all three, please")
        history = await chat.history()

    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.for_replay().events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert {kind(each) for each in scheduled} == {"invoke_model_activity", *TOOL_ACTIVITIES}
    for each in scheduled:
        assert limits_of(each) == (TOOL_LIMITS if kind(each) in TOOL_ACTIVITIES else MODEL_LIMITS)
    (started,) = history.for_replay().events[0].workflow_execution_started_event_attributes.input.payloads
    policy = ChatInput.model_validate_json(started.data).policy.model_dump()
    assert {name: policy[name] for name in CHAT_LIMITS} == CHAT_LIMITS


async def test_how_much_a_tool_may_give_back_is_a_setting(env: Environment) -> None:
    """In bytes of what lands in the history. (ours)"""
    script = Script(calls("characters", number=100_000), says("Long."))
    limit: Mapping[str, Any] = {"max_tool_output_bytes": 5_000}

    async with (
        over_http(rough_tools()) as url,
        env.agent(script, mcp=McpTransport.SETTINGS, finance_mcp_url=url, it_mcp_url=NOWHERE, **limit) as agent,
    ):
        chat = agent.chat()
        await chat.send("much, please")
        (result,) = results_of(await chat.history(), "call-tool")

    assert 2_000 < len(result) <= 5_000
    assert b"of 100,000 characters left out]" in result


def kind(scheduled: ActivityTaskScheduledEventAttributes) -> str:
    """Return what the activity does; the activities of an MCP server have its name in theirs."""
    return scheduled.activity_type.name.rpartition(".")[2]


def results_of(history: RecordedHistory, activity: str) -> list[bytes]:
    """Return what the activities of a kind gave back, as JSON."""
    events = history.for_replay().events
    scheduled = {event.event_id for event in events if kind(event.activity_task_scheduled_event_attributes) == activity}
    completed = (event.activity_task_completed_event_attributes for event in events)
    return [each.result.payloads[0].data for each in completed if each.scheduled_event_id in scheduled]


def limits_of(scheduled: ActivityTaskScheduledEventAttributes) -> Limits:
    """Return what Temporal was told."""
    return Limits(
        timeout=scheduled.start_to_close_timeout.ToTimedelta(),
        total_timeout=scheduled.schedule_to_close_timeout.ToTimedelta(),
        attempts=scheduled.retry_policy.maximum_attempts,
        heartbeat_timeout=scheduled.heartbeat_timeout.ToTimedelta(),
        first_retry_after=scheduled.retry_policy.initial_interval.ToTimedelta(),
    )


async def has_beaten_for(chat: TestedChat, time: timedelta) -> bool:
    """Whether the activity under way sent a heartbeat so long after it was started."""
    pending = (await chat.handle.describe()).raw_description.pending_activities
    return any(each.last_heartbeat_time.ToDatetime() - each.last_started_time.ToDatetime() > time for each in pending)
