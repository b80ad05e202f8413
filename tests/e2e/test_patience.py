"""A model that takes its time is left alone; the limits that are set are those that Temporal holds to."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes

from durable_loop.settings import Settings
from durable_loop.testing import Environment, TestedChat
from tests.e2e.hostile import Slow
from tests.e2e.waiting import eventually

HEARTBEAT = timedelta(seconds=0.5)


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


async def test_a_reply_may_take_ten_minutes_by_default_and_every_limit_is_a_setting(env: Environment) -> None:
    """What is scheduled has the timeouts and the number of tries that the settings name. (ours)"""
    slow = Slow()
    slow.let.set()
    assert Settings().model_timeout > timedelta(minutes=10)
    limits: dict[str, Any] = {
        "model_timeout": timedelta(minutes=11),
        "model_total_timeout": timedelta(minutes=44),
        "model_attempts": 5,
        "heartbeat_timeout": timedelta(seconds=7),
    }

    async with env.agent(slow, **limits) as agent:
        chat = agent.chat()
        await chat.send("hello")
        scheduled = await model_call(chat)

    assert {
        "model_timeout": scheduled.start_to_close_timeout.ToTimedelta(),
        "model_total_timeout": scheduled.schedule_to_close_timeout.ToTimedelta(),
        "model_attempts": scheduled.retry_policy.maximum_attempts,
        "heartbeat_timeout": scheduled.heartbeat_timeout.ToTimedelta(),
    } == limits


async def model_call(chat: TestedChat) -> ActivityTaskScheduledEventAttributes:
    """Return how the chat's first model call was scheduled."""
    events = (await chat.handle.fetch_history()).events
    return next(
        event.activity_task_scheduled_event_attributes
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "invoke_model_activity"
    )


async def has_beaten_for(chat: TestedChat, time: timedelta) -> bool:
    """Whether the activity under way sent a heartbeat so long after it was started."""
    pending = (await chat.handle.describe()).raw_description.pending_activities
    return any(each.last_heartbeat_time.ToDatetime() - each.last_started_time.ToDatetime() > time for each in pending)
