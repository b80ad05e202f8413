from __future__ import annotations

from datetime import timedelta

from activities.exchange_rate_activity import exchange_rate
from agents import Agent, Runner
from temporalio import workflow
from temporalio.contrib import openai_agents


@workflow.defn
class CurrencyWorkflow:
    @workflow.run
    async def run(self, question: str) -> str:
        agent = Agent(
            name="Currency agent",
            instructions="You answer questions about currencies.",
            tools=[
                openai_agents.workflow.activity_as_tool(exchange_rate, start_to_close_timeout=timedelta(seconds=10)),
            ],
        )
        result = await Runner.run(agent, input=question)
        return result.final_output
