"""A crash matrix that must not pass; `tests/harness/test_careless_agent.py` runs it."""

from careless import Careless, attempts

from durable_loop.testing import CrashMatrix, CrashPoint, DurableAgent, RunningAgent, Script

AGENT = DurableAgent(workflows=[Careless], activities=[attempts])


class TestCrashes(CrashMatrix):
    """One place that makes a difference, one that the story does not come by, and one is forgotten."""

    agent, script = "crashes:AGENT", Script()
    points = (CrashPoint.AFTER_ACTIVITY, CrashPoint.BEFORE_MODEL_CALL)

    async def story(self, agent: RunningAgent) -> object:
        """Run it once."""
        return await agent.execute(Careless.run)


class TestFailingStories(CrashMatrix):
    """A story that goes wrong by itself: that is what is told."""

    agent, script, points = "crashes:AGENT", Script(), (CrashPoint.BEFORE_MODEL_CALL,)

    async def story(self, agent: RunningAgent) -> object:  # noqa: ARG002 - a story gets an agent
        """Do not even begin."""
        raise RuntimeError("the story went wrong")
