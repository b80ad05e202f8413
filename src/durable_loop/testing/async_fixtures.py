"""The fixtures that run something. They come with the plugin where pytest-asyncio is installed."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest
import pytest_asyncio

from durable_loop.testing.fixtures import script_of
from durable_loop.testing.run_state import has_passed, project_of

if TYPE_CHECKING:
    from durable_loop.testing.crash_matrix import Cells, CrashMatrix
    from durable_loop.testing.environment import Environment, TestedChat
    from durable_loop.testing.running_agent import RunningAgent

__all__ = ["chat", "crash_cells", "durable_env", "running_agent"]

# Imports stand in the fixtures: the environment takes seconds, and most runs of pytest need none of it.
# ruff: noqa: PLC0415


class _HasFailedError(Exception):
    """The test has failed."""


def _leave_as(request: pytest.FixtureRequest) -> None:
    """Leave a block as a test in it would: where it has failed, nothing is checked that it need not have come to.

    Raises:
        _HasFailedError: it has.
    """
    if not has_passed(request.node):
        raise _HasFailedError


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def durable_env() -> AsyncGenerator["Environment"]:
    """Give the tests a dev server and what runs on it; ended after the last test."""
    from durable_loop.testing.environment import Environment

    async with Environment.start() as env:
        yield env


@pytest_asyncio.fixture(loop_scope="session")
async def chat(request: pytest.FixtureRequest, durable_env: "Environment") -> AsyncGenerator["TestedChat"]:
    """Give a test a fresh chat of durable-loop; its model speaks the test's `@pytest.mark.script(…)`."""
    with suppress(_HasFailedError):
        async with durable_env.agent(script_of(request)) as agent:
            yield agent.chat()
            _leave_as(request)


@pytest_asyncio.fixture(loop_scope="session")
async def running_agent(request: pytest.FixtureRequest, durable_env: "Environment") -> AsyncGenerator["RunningAgent"]:
    """Give a test the project's agent (the first of `[tool.durable-loop] agents`), on its `@pytest.mark.script(…)`."""
    with suppress(_HasFailedError):
        async with durable_env.running(project_of(request.config).agents[0], script_of(request)) as agent:
            yield agent
            _leave_as(request)


@pytest_asyncio.fixture(scope="class", loop_scope="session")
async def crash_cells(request: pytest.FixtureRequest, durable_env: "Environment") -> AsyncGenerator["Cells"]:
    """Give the tests of a `CrashMatrix` its workers."""
    from durable_loop.testing.crash_matrix import running_cells

    matrix = cast("type[CrashMatrix]", request.cls)  # pyright: ignore[reportUnknownMemberType]
    async with running_cells(durable_env, matrix()) as cells:
        yield cells
