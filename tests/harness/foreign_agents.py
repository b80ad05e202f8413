"""Agents that are not ours, as a user of the harness has them."""

import contextlib
import os
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from agents import Agent, Runner, handoff
    from temporalio.openai_agents.workflow import activity_as_tool  # pyright: ignore[reportUnknownVariableType]

    from durable_loop.testing import DurableAgent

__all__ = [
    "AGENT",
    "AnswersNextDay",
    "AsksAChild",
    "AsksNobody",
    "GivesUp",
    "GreetsByName",
    "HandsOver",
    "Leaks",
    "Listens",
    "LooksAtItsReplay",
    "LooksNextDoor",
    "Recites",
    "Relays",
    "SaysWhetherItReplays",
    "Stumbles",
]


@activity.defn
async def next_door(name: str) -> str:
    """Say who lives next door."""
    return f"{name}'s neighbour is Grace"


@activity.defn
async def third_time_lucky() -> int:
    """Fail twice; return the attempt."""
    attempt = activity.info().attempt
    if attempt < 3:
        raise RuntimeError("not yet")
    return attempt


@activity.defn
async def leaves_a_process() -> int:
    """Start what nobody ends."""
    return os.posix_spawn(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"], os.environ)  # noqa: ASYNC221


@workflow.defn
class GreetsByName:
    """One agent with one tool."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Return the greeting."""
        tools = [activity_as_tool(next_door, start_to_close_timeout=timedelta(seconds=10))]
        agent = Agent(name="greeter", instructions="Greet.", tools=tools)
        return (await Runner.run(agent, wish)).final_output


@workflow.defn
class HandsOver:
    """Two agents: the first one hands off by a name of its own, and folds the history."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Return who answered, and what."""
        tools = [activity_as_tool(next_door, start_to_close_timeout=timedelta(seconds=10))]
        second = Agent(name="Übersetzer", instructions="Translate.", tools=tools)
        over = handoff(second, tool_name_override="to_the_translator", nest_handoff_history=True)
        first = Agent(name="greeter", instructions="Greet.", tools=tools, handoffs=[over])
        result = await Runner.run(first, wish)
        return f"{result.last_agent.name}: {result.final_output}"


@workflow.defn
class Recites:
    """Has its agent answer piece by piece."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Return what it said."""
        result = Runner.run_streamed(Agent(name="reciter", instructions="Recite."), wish)
        async for _ in result.stream_events():
            pass
        return str(result.final_output)


@workflow.defn
class AnswersNextDay:
    """Waits a day, then tries with an hour between attempts."""

    @workflow.run
    async def run(self) -> int:
        """Return the attempt that worked."""
        await workflow.sleep(timedelta(days=1))
        return await workflow.execute_activity(
            third_time_lucky,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1)),
        )


@workflow.defn
class Leaks:
    """Has an activity that starts a process."""

    @workflow.run
    async def run(self) -> int:
        """Return its pid."""
        return await workflow.execute_activity(leaves_a_process, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class LooksAtItsReplay:
    """Is not deterministic."""

    @workflow.run
    async def run(self) -> None:
        """Wait, but not in a replay."""
        if not workflow.unsafe.is_replaying():
            await workflow.sleep(0.01)


@workflow.defn
class SaysWhetherItReplays:
    """Is deterministic in its commands, and not in what it sends."""

    @workflow.run
    async def run(self) -> str:
        """Call the tool with another argument in a replay."""
        name = "again" if workflow.unsafe.is_replaying() else "first"
        return await workflow.execute_activity(next_door, name, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class GivesUp:
    """Asks around, and fails."""

    @workflow.run
    async def run(self) -> None:
        """Signal a workflow that is not there, ask next door, give up."""
        await give_up(neighbour="nobody")


@workflow.defn
class LooksNextDoor:
    """Asks next door by a local activity."""

    @workflow.run
    async def run(self) -> str:
        """Return who lives there."""
        return await workflow.execute_local_activity(next_door, "Zoe", start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class Listens:
    """Hears one thing."""

    def __init__(self) -> None:
        self._heard: str | None = None

    @workflow.run
    async def run(self, name: str) -> str:
        """Return who heard what."""
        await workflow.wait_condition(lambda: self._heard is not None)
        return f"{name} heard {self._heard}"

    @workflow.signal
    def hear(self, news: str) -> None:
        """Hear it."""
        self._heard = news


@workflow.defn
class Relays:
    """Sends in all the ways there are besides activities: to who greets it, to a child, to its next run."""

    def __init__(self) -> None:
        self._greeted = False

    @workflow.run
    async def run(self, rounds: int) -> None:
        """Tell a child, then go on in a new run."""
        await workflow.wait_condition(lambda: self._greeted or rounds == 0)
        if rounds > 0:
            await relay("Ada", "the news", rounds - 1)

    @workflow.update
    def greet(self, name: str) -> str:
        """Greet back."""
        self._greeted = True
        return f"Hello {name}"


async def relay(name: str, news: str, rounds: int) -> None:
    """Do what `Relays` does."""
    child = await workflow.start_child_workflow("Listens", name, id=f"{workflow.info().workflow_id}-child")
    await child.signal("hear", news)
    await child
    workflow.continue_as_new(rounds)


@workflow.defn
class AsksAChild:
    """Has a child that does the work, and needs a second try of its own."""

    @workflow.run
    async def run(self) -> str:
        """Return what the child says."""
        if workflow.info().attempt == 1:
            raise ApplicationError("not at the first try")
        return await workflow.execute_child_workflow(
            SaysWhetherItReplays.run, id=f"{workflow.info().workflow_id}-child", task_queue=workflow.info().task_queue
        )


@workflow.defn
class AsksNobody:
    """Calls an activity that no worker has."""

    @workflow.run
    async def run(self) -> None:
        """Wait for ever."""
        await workflow.execute_activity("not_registered", start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class Stumbles:
    """Raises what is no failure by itself."""

    @workflow.run
    async def run(self) -> None:
        """Look for what is not there."""
        raise KeyError("nothing")


async def give_up(neighbour: str, *, queue: str | None = None, why: str = "nobody is there") -> None:
    """Do what `GivesUp` does."""
    with contextlib.suppress(ApplicationError):
        await workflow.get_external_workflow_handle(neighbour).signal("knock")
    await workflow.execute_activity(
        next_door, "Ada", start_to_close_timeout=timedelta(seconds=10), task_queue=queue or workflow.info().task_queue
    )
    raise ApplicationError(why, type="Tired", non_retryable=True)


AGENT = DurableAgent(
    workflows=[
        GreetsByName,
        HandsOver,
        AnswersNextDay,
        Leaks,
        LooksAtItsReplay,
        SaysWhetherItReplays,
        GivesUp,
        AsksAChild,
        AsksNobody,
        LooksNextDoor,
        Listens,
        Relays,
    ],
    activities=[next_door, third_time_lucky, leaves_a_process],
)
