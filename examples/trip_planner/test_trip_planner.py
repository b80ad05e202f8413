"""Every promise of a durable agent: what it does, who may die meanwhile, and what an upgrade must not break."""

from trip_planner import TripWorkflow, forecast, trains

from durable_loop.testing import (
    CrashMatrix,
    DurableAgent,
    Environment,
    RunningAgent,
    Scenarios,
    Script,
    call,
    calls,
    says,
)

AGENT = DurableAgent(workflows=[TripWorkflow], activities=[forecast, trains])
PLAN = "Take the train at 8:04, and a coat."
SCRIPT = Script(
    calls(call("forecast", city="Oslo"), call("trains", start="Bonn", city="Oslo")),
    says(PLAN),
)


async def test_it_looks_at_the_weather_and_at_the_trains(durable_env: Environment, histories: Scenarios) -> None:
    async with durable_env.running(AGENT, SCRIPT) as agent:
        assert await agent.execute(TripWorkflow.run, "From Bonn to Oslo") == PLAN
        histories.match("trip/two-tools", await agent.history(), why="Both tools at once.")


class TestCrashes(CrashMatrix):
    agent, script = "test_trip_planner:AGENT", SCRIPT

    async def story(self, agent: RunningAgent) -> object:
        return await agent.execute(TripWorkflow.run, "From Bonn to Oslo")
