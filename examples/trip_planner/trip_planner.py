"""A two-tool agent in a workflow. It knows nothing of the harness that tests it."""

from datetime import timedelta

from agents import Agent, Runner
from temporalio import activity, workflow
from temporalio.openai_agents.workflow import activity_as_tool


@activity.defn
async def forecast(city: str) -> str:
    """Say what the weather will be like in a city."""
    return f"12 degrees and rain in {city}"


@activity.defn
async def trains(start: str, city: str) -> list[str]:
    """List the trains between two cities."""
    return [f"{start} 8:04 - {city} 14:31", f"{start} 10:04 - {city} 16:40"]


@workflow.defn
class TripWorkflow:
    """Plan one trip."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Return the plan."""
        planner = Agent(
            name="trip planner",
            instructions="Plan the trip. Look at the weather and at the trains.",
            tools=[activity_as_tool(tool, start_to_close_timeout=timedelta(seconds=5)) for tool in (forecast, trains)],
        )
        return (await Runner.run(planner, wish)).final_output
