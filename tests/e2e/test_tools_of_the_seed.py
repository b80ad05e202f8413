"""Every tool of the seed, called by the fake model: what the model reads afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from durable_loop import names
from durable_loop.chat.messages import ModelInputPage
from durable_loop.testing import Calls, Environment, Script, TestedChat, calls, says
from tests.requirements import requirement

PROJECT = calls("set_jira_project", project="DEMO-123")
ADDRESS = calls("track_ip")


@pytest.mark.parametrize(
    ("steps", "read"),
    [
        ([calls("calculator", expression="15 * 23")], "15 * 23 = 345"),
        ([calls("weather", city="New York")], "The weather in New York: "),
        ([calls("stock_price", ticker="AAPL")], "The current stock price of AAPL is $185.50"),
        ([calls("calculate_roi", principal=10000, rate=5, years=10)], "is $16,288.95"),
        ([PROJECT], "JIRA project set to: DEMO-123"),
        ([PROJECT, calls("get_jira_metrics")], "JIRA metrics for DEMO-123"),
        ([ADDRESS], "IP address tracked: 172.16.0.1"),
        ([ADDRESS, ADDRESS, calls("get_ip_history")], "2. 172.16.0.2 (tracked at 20"),
    ],
    ids=["calculator", "weather", "stock", "roi", "project", "metrics", "track", "history"],
)
@requirement("tools.local")
async def test_the_model_reads_what_the_tool_found(env: Environment, steps: list[Calls], read: str) -> None:
    """Each of the seed's examples with a scripted model. (seed)"""
    async with env.agent(Script(*steps, says("Done."))) as agent:
        chat = agent.chat()

        assert (await chat.send("go")).text == "Done."
        assert read in await last_model_input(chat)


async def test_a_session_that_was_idle_for_months_remembers(env: Environment) -> None:
    """It waits without a worker's memory; its clock is moved on. (ours)"""
    script = Script(PROJECT, says("Set."), calls("get_jira_metrics"), says("Done."))
    async with env.agent(script) as agent:
        chat = agent.chat()
        await chat.send("set it")
        client = await env.client(names.NAMESPACE_IT)
        session = client.get_workflow_handle(names.ID_IT_SESSION + chat.chat_id)

        await env.fast_forward(session, timedelta(days=100), namespace=names.NAMESPACE_IT)

        await chat.send("look")
        assert "JIRA metrics for DEMO-123" in await last_model_input(chat)


async def last_model_input(chat: TestedChat) -> str:
    """Return what the last model call was given."""
    asked = ModelInputPage(call=(await chat.status()).model_calls, page=0)
    given: Any = await chat.handle.query(names.QUERY_MODEL_INPUT, asked, result_type=str)
    return given
