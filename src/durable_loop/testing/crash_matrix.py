"""A ready-made test of any agent: its worker is killed at every crash point, and nothing may differ.

    class TestCrashes(CrashMatrix):
        agent = "trips:AGENT"
        script = Script(calls("forecast", city="Oslo"), says("Take a coat."))

        async def story(self, agent: RunningAgent) -> object:
            return await agent.execute(TripWorkflow.run, "Oslo")

Each crash point that the story comes by is a cell, and a test. Two workers run; the one that comes there is
killed by SIGKILL, and the other one goes on. The story must come to the same result as when nobody dies, by
the same activities, with no failed workflow task, and its histories must replay.

It needs pytest and pytest-asyncio: `durable-loop[testing]`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import pytest

from durable_loop.testing.crash import CrashPoint
from durable_loop.testing.environment import Environment, WorkerPlace
from durable_loop.testing.running_agent import RunningAgent
from durable_loop.testing.script import Script

__all__ = ["Cells", "CrashMatrix", "running_cells"]


class CrashMatrix(ABC):
    """Subclass it in a test module as `Test…`.

    `agent` is the path of a `DurableAgent`, which the worker processes import. `points` are the cells; a test fails
    that names those that are missing or too many.
    """

    agent: ClassVar[str]
    script: ClassVar[Script]
    points: ClassVar[Collection[CrashPoint]] = (
        CrashPoint.BEFORE_MODEL_CALL,
        CrashPoint.IN_MODEL_CALL,
        CrashPoint.AFTER_MODEL_CALL,
        CrashPoint.BEFORE_ACTIVITY,
        CrashPoint.AFTER_ACTIVITY,
    )
    pytestmark: ClassVar = [pytest.mark.asyncio(loop_scope="session")]

    @abstractmethod
    async def story(self, agent: RunningAgent) -> object:
        """Start workflows with `agent`, and return all that must not differ."""

    async def effects(self) -> object:
        """Return what the agent's tools have done to the world in one story; nothing, unless a subclass says so."""
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make a test of every point."""
        if "point" in metafunc.fixturenames:
            metafunc.parametrize("point", list(self.points), ids=str)

    async def test_the_points_are_those_that_the_story_comes_by(self, crash_cells: "Cells") -> None:
        """None is forgotten, and none is there for nothing."""
        undisturbed = await crash_cells.undisturbed()

        if frozenset(self.points) != undisturbed.passed:
            pytest.fail(f"`points` must be what the story comes by: {', '.join(sorted(undisturbed.passed))}.")

    async def test_a_worker_that_is_killed_changes_nothing(self, point: CrashPoint, crash_cells: "Cells") -> None:
        """The other one goes on from there."""
        undisturbed = await crash_cells.undisturbed()

        killed = await crash_cells.killed_at(point)
        if killed != undisturbed:
            pytest.fail(f"A worker killed at {point} makes a difference.\nWithout: {undisturbed}\nWith:    {killed}")


@asynccontextmanager
async def running_cells(env: Environment, matrix: CrashMatrix) -> AsyncGenerator["Cells"]:
    """Run two workers of the matrix's agent during the block."""
    async with env.running(matrix.agent, matrix.script, workers=WorkerPlace.SUBPROCESS, processes=2) as agent:
        yield Cells(agent, matrix)


@dataclass(frozen=True)
class _Outcome:
    """What a story came to."""

    result: object
    effects: object
    activities: Counter[str]
    passed: frozenset[CrashPoint]
    failed_workflow_tasks: tuple[str, ...] = ()


class Cells:
    """Plays the story of a matrix, with and without a crash."""

    def __init__(self, agent: RunningAgent, matrix: CrashMatrix) -> None:
        self._agent = agent
        self._matrix = matrix
        self._undisturbed: _Outcome | None = None

    async def undisturbed(self) -> _Outcome:
        """Return what the story comes to when nobody dies; it is played once."""
        if self._undisturbed is None:
            self._undisturbed = await self._play(None)
        return self._undisturbed

    async def killed_at(self, point: CrashPoint) -> _Outcome:
        """Return what it comes to when the worker dies that comes to `point` first."""
        return await self._play(point)

    async def _play(self, point: CrashPoint | None) -> _Outcome:
        await self._agent.heal()
        crash_points = self._agent.crash_points
        crash_points.disarm()
        before = self._agent.started
        playing = asyncio.create_task(self._matrix.story(self._agent))
        try:
            if point is not None:
                crash_points.arm(point)
                await self._kill(point, playing)
            result = await playing
        finally:
            playing.cancel()
            await asyncio.wait({playing})
        histories = await self._agent.histories(after=before)
        return _Outcome(
            result=result,
            effects=await self._matrix.effects(),
            activities=Counter(name for history in histories for name in history.activities()),
            passed=crash_points.passed,
            failed_workflow_tasks=tuple(cause for history in histories for cause in history.failed_workflow_tasks),
        )

    async def _kill(self, point: CrashPoint, playing: asyncio.Task[object]) -> None:
        """Kill the worker that comes to `point` while the story is played."""
        killing = asyncio.create_task(self._agent.kill_at(point))
        await asyncio.wait({playing, killing}, return_when=asyncio.FIRST_COMPLETED)
        if killing.done():
            await killing
            return
        killing.cancel()
        await asyncio.wait({killing})
        await playing  # what went wrong in the story comes first
        pytest.fail(f"The story ended and no worker came to {point}: take it out of `points`.")
