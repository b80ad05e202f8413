"""A sample as people write them, with nothing changed for its tests."""

from activities.exchange_rate_activity import exchange_rate
from workflows.currency_workflow import CurrencyWorkflow

from durable_loop.testing import CrashMatrix, DurableAgent, RunningAgent, Script, calls, says

AGENT = DurableAgent(workflows=[CurrencyWorkflow], activities=[exchange_rate])


class TestCrashes(CrashMatrix):
    agent = "test_currency_sample:AGENT"
    script = Script(calls("exchange_rate", source="EUR", target="USD"), says("100 euros are 125 dollars."))

    async def story(self, agent: RunningAgent) -> object:
        return await agent.execute(CurrencyWorkflow.run, "What are 100 euros in dollars?")
