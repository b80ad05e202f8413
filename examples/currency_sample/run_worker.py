from __future__ import annotations

import asyncio
from datetime import timedelta

from activities.exchange_rate_activity import exchange_rate
from temporalio.client import Client
from temporalio.contrib.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin
from temporalio.worker import Worker
from workflows.currency_workflow import CurrencyWorkflow


async def main() -> None:
    client = await Client.connect(
        "localhost:7233",
        plugins=[
            OpenAIAgentsPlugin(model_params=ModelActivityParameters(start_to_close_timeout=timedelta(seconds=30))),
        ],
    )
    worker = Worker(
        client,
        task_queue="openai-agents-currency-task-queue",
        workflows=[CurrencyWorkflow],
        activities=[exchange_rate],
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
