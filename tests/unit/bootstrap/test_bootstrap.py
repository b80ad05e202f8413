"""Extension points and the heartbeat of activities."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from durable_loop.bootstrap import extensions
from durable_loop.bootstrap.heartbeat import HeartbeatInterceptor
from durable_loop.errors import SettingsError
from durable_loop.testing.errors import HarnessError


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no.such.module:x", "names nothing that can be imported"),
        ("durable_loop.names:nothing", "names nothing that can be imported"),
        ("durable_loop.names", "names nothing that can be imported"),
        ("", "names nothing that can be imported"),
        ("durable_loop.names:QUEUE_IT", "is not a factory"),
    ],
)
def test_an_extension_that_cannot_be_loaded_is_named_with_its_setting(path: str, message: str) -> None:
    """The worker says so and ends, instead of running without it. (ours)"""
    with pytest.raises(SettingsError, match=f"SOME_SETTING='{path}' {message}"):
        extensions.load(path, setting="SOME_SETTING")


def test_an_extension_is_what_its_factory_makes() -> None:
    """Any callable without arguments. (ours)"""
    assert isinstance(extensions.load("durable_loop.testing.errors:HarnessError", setting="X"), HarnessError)


class Running(ActivityInboundInterceptor):
    """Stands for an activity that runs until it is told to end."""

    def __init__(self, until: asyncio.Event) -> None:
        self._until = until

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ARG002 - the SDK's signature
        """Run."""
        await self._until.wait()
        return "done"


async def beats(heartbeat_timeout: timedelta | None, wanted: int) -> list[tuple[Any, ...]]:
    """Run an activity under the interceptor until it has beaten so often; return the beats."""
    enough, seen = asyncio.Event(), list[tuple[Any, ...]]()
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(ActivityEnvironment.default_info(), heartbeat_timeout=heartbeat_timeout)

    def beat(*details: Any) -> None:
        seen.append(details)
        if len(seen) >= wanted:
            enough.set()

    environment.on_heartbeat = beat
    if wanted == 0:
        enough.set()
    interceptor = HeartbeatInterceptor().intercept_activity(Running(enough))
    asked = ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={})
    assert await environment.run(interceptor.execute_activity, asked) == "done"
    return seen


async def test_an_activity_with_a_heartbeat_timeout_beats_while_it_runs() -> None:
    """So a killed worker is noticed soon. (ours)"""
    assert len(await beats(timedelta(seconds=0.03), wanted=3)) >= 3


async def test_an_activity_without_one_does_not() -> None:
    """There is nobody to tell. (Temporal)"""
    assert await beats(None, wanted=0) == []
