"""The heartbeat of activities."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from durable_loop.bootstrap.heartbeat import HeartbeatInterceptor
from tests.requirements import requirement


class Running(ActivityInboundInterceptor):
    """Stands for an activity that runs until it is told to end."""

    def __init__(self, until: asyncio.Event, *, fails: bool = False) -> None:
        self._until = until
        self._fails = fails

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ARG002 - the SDK's signature
        """Run."""
        await self._until.wait()
        if self._fails:
            raise ValueError("no")
        return "done"


class Recorder:
    """An activity environment that counts beats and knows when there were enough."""

    def __init__(self, heartbeat_timeout: timedelta | None, *, wanted: int = 1) -> None:
        self.beats = 0
        self.enough = asyncio.Event()
        self.environment = ActivityEnvironment()
        info = ActivityEnvironment.default_info()
        self.environment.info = dataclasses.replace(info, heartbeat_timeout=heartbeat_timeout)
        self.environment.on_heartbeat = self._beat
        self._wanted = wanted

    async def run(self, activity: ActivityInboundInterceptor) -> Any:
        """Run an activity under the interceptor."""
        interceptor = HeartbeatInterceptor().intercept_activity(activity)
        asked = ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={})
        return await self.environment.run(interceptor.execute_activity, asked)

    def _beat(self, *_details: Any) -> None:
        self.beats += 1
        if self.beats >= self._wanted:
            self.enough.set()


@requirement("temporal.heartbeats")
async def test_an_activity_with_a_heartbeat_timeout_beats_while_it_runs() -> None:
    """So a killed worker is noticed soon. (ours)"""
    recorder = Recorder(timedelta(seconds=0.03), wanted=3)

    assert await recorder.run(Running(recorder.enough)) == "done"
    assert recorder.beats >= 3


@pytest.mark.parametrize("fails", [False, True])
@requirement("temporal.heartbeats")
async def test_the_heartbeat_ends_with_its_activity(fails: bool) -> None:  # noqa: FBT001 - a parameter
    """However that ended; a beat afterwards would be somebody else's. (ours)"""
    before = asyncio.all_tasks()
    recorder = Recorder(timedelta(hours=1))

    ended = await asyncio.gather(recorder.run(Running(recorder.enough, fails=fails)), return_exceptions=True)

    assert isinstance(ended[0], ValueError) is fails
    left = asyncio.all_tasks() - before
    await asyncio.wait_for(asyncio.gather(*left, return_exceptions=True), timeout=5)
    assert recorder.beats == 1


async def test_an_activity_without_a_heartbeat_timeout_does_not_beat() -> None:
    """There is nobody to tell. (Temporal)"""
    recorder = Recorder(None)
    recorder.enough.set()

    assert await recorder.run(Running(recorder.enough)) == "done"
    assert recorder.beats == 0
