"""The fixtures: nouns, each a ready thing. They come with the plugin where pytest-asyncio is installed."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import pytest_asyncio

from durable_loop.testing.run_state import REPORT, project_of

if TYPE_CHECKING:
    from durable_loop.testing.crash import CrashPoints
    from durable_loop.testing.crash_matrix import Cells, CrashMatrix
    from durable_loop.testing.environment import Environment, TestedChat
    from durable_loop.testing.fake_model import FakeModel
    from durable_loop.testing.histories.scenarios import Scenarios
    from durable_loop.testing.running_agent import RunningAgent
    from durable_loop.testing.script import Script

__all__ = ["chat", "crash", "crash_cells", "durable_env", "fake_model", "histories", "running_agent"]

# Imports stand in the fixtures: the environment takes seconds, and most runs of pytest need none of it.
# ruff: noqa: PLC0415


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def durable_env() -> AsyncGenerator["Environment"]:
    """Give the tests a dev server and what runs on it; ended after the last test."""
    from durable_loop.testing.environment import Environment

    async with Environment.start() as env:
        yield env


@pytest.fixture
def fake_model(request: pytest.FixtureRequest) -> Generator["FakeModel"]:
    """Give a test the model that speaks its `@pytest.mark.script(…)`; a step that it did not use fails the test."""
    from durable_loop.testing.fake_model import FakeModel

    model = FakeModel(_script(request))
    yield model
    model.assert_complete()


@pytest_asyncio.fixture(loop_scope="session")
async def chat(request: pytest.FixtureRequest, durable_env: "Environment") -> AsyncGenerator["TestedChat"]:
    """Give a test a fresh chat of durable-loop; its model speaks the test's `@pytest.mark.script(…)`."""
    async with durable_env.agent(_script(request)) as agent:
        yield agent.chat()


@pytest_asyncio.fixture(loop_scope="session")
async def running_agent(request: pytest.FixtureRequest, durable_env: "Environment") -> AsyncGenerator["RunningAgent"]:
    """Give a test the project's agent (the first of `[tool.durable-loop] agents`), on its `@pytest.mark.script(…)`."""
    async with durable_env.running(project_of(request.config).agents[0], _script(request)) as agent:
        yield agent


@pytest.fixture
def crash(tmp_path: Path) -> "CrashPoints":
    """Give a test crash points of its own, for the processes that it starts with their `environment`."""
    from durable_loop.testing.crash import CrashPoints

    return CrashPoints(tmp_path / "crash-points")


@pytest_asyncio.fixture(scope="class", loop_scope="session")
async def crash_cells(request: pytest.FixtureRequest, durable_env: "Environment") -> AsyncGenerator["Cells"]:
    """Give the tests of a `CrashMatrix` its workers."""
    from durable_loop.testing.crash_matrix import running_cells

    matrix = cast("type[CrashMatrix]", request.cls)  # pyright: ignore[reportUnknownMemberType]
    async with running_cells(durable_env, matrix()) as cells:
        yield cells


@pytest.fixture(scope="session")
def histories(request: pytest.FixtureRequest) -> Generator["Scenarios"]:
    """Give the tests the stored histories: a fresh one must tell the same story, or is recorded."""
    from durable_loop.testing.histories.scenarios import Scenarios
    from durable_loop.testing.histories.store import HistoryStore

    project, options = project_of(request.config), request.config.option
    if options.anew and project.is_released:
        raise pytest.UsageError("From version 0.1.0 on histories are only added to: leave --anew out.")
    scenarios = Scenarios(
        HistoryStore(project.histories),
        record=options.record_histories,
        refresh=options.refresh_histories,
        anew=options.anew,
    )
    yield scenarios
    report = request.config.stash[REPORT]
    report.compared += scenarios.compared
    report.recorded += [entry.id for entry in scenarios.recorded]


def _script(request: pytest.FixtureRequest) -> "Script":
    from durable_loop.testing.script import Script

    marker = request.node.get_closest_marker("script")
    if marker is None:
        raise pytest.UsageError(f"{request.node.nodeid} needs @pytest.mark.script(…): what its model says.")
    return Script(*marker.args, **marker.kwargs)
