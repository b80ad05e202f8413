"""The stored histories come from these runs, and fresh runs tell the same (record: `pytest --record-histories`)."""

import pytest

from durable_loop.testing import Environment, Scenarios
from tests.replay.scenarios import SCENARIOS, Scenario
from tests.requirements import requirement


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.record.__name__)
@requirement("harness.same-story")
async def test_a_fresh_run_tells_what_the_stored_history_tells(
    scenario: Scenario, env: Environment, histories: Scenarios
) -> None:
    """Command by command, with arguments and results. (ours)"""
    for name, fresh in (await scenario.record(env)).items():
        histories.match(name, fresh, why=scenario.why[name], expect=scenario.expect)
