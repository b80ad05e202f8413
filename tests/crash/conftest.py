"""The fixtures of the crash matrix, and the table that a run prints."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from durable_loop.settings import Settings
from durable_loop.testing import Fleet
from durable_loop.testing.model_calls import PROVIDER
from tests.crash.play import Outcome, undisturbed
from tests.crash.stories import Story
from tests.environment import shared_environment

__all__ = ["shared_environment"]

# Seconds instead of many, so that a cell takes no longer than it must; the model is the workers' own.
SETTINGS = Settings(
    heartbeat_timeout=timedelta(seconds=2),
    sticky_queue_timeout=timedelta(seconds=1),
    model_provider=PROVIDER,
)
TABLE = pytest.StashKey[list[str]]()


class References:
    """What the stories leave behind when nobody dies; each is played once."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._played: dict[str, Outcome] = {}

    async def of(self, story: Story) -> Outcome:
        """Return the outcome of an undisturbed run of `story`."""
        if story.name not in self._played:
            self._played[story.name] = await undisturbed(self._fleet, story)
        return self._played[story.name]


@pytest.fixture(name="running_fleet", scope="session")
async def _running_fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Fleet]:
    async with Fleet.start(tmp_path_factory.mktemp("fleet"), SETTINGS) as fleet:
        yield fleet


@pytest.fixture(name="references", scope="session")
async def _references(running_fleet: Fleet) -> References:
    return References(running_fleet)


@pytest.fixture(name="fleet")
async def _fleet(running_fleet: Fleet) -> Fleet:
    """Give a test a fleet that is whole, whatever the test before it left behind."""
    running_fleet.disarm()
    await running_fleet.heal()
    return running_fleet


@pytest.fixture(name="table")
def _table(request: pytest.FixtureRequest) -> list[str]:
    """Give a test the lines that are printed at the end."""
    return request.config.stash.setdefault(TABLE, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of the cells that were run."""
    lines = config.stash.get(TABLE, list[str]())
    if lines:
        terminalreporter.section("crash matrix: moment and victim, reply, memory, effects, recovery")
        for line in lines:
            terminalreporter.write_line(line)
