"""Open chats while a new build of the workers takes over, on a dev server with two builds."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel
from temporalio import activity
from temporalio.worker import Worker

from durable_loop import names
from durable_loop.bootstrap.deployment import deployment_config
from durable_loop.bootstrap.moving import HandedOver, hand_over
from durable_loop.bootstrap.rollout import make_current
from durable_loop.services.finance.messages import Roi, RoiRequest, StockPrice, StockPriceRequest
from durable_loop.services.finance.workflows import RoiWorkflow, StockPriceWorkflow
from durable_loop.services.it.messages import JiraMetricsRequest, ProjectMetrics
from durable_loop.services.it.workflows import JiraMetricsWorkflow
from durable_loop.testing import Environment
from tests.e2e.deployments import Deployment, begun_on_1, build, is_on
from tests.e2e.waiting import eventually


@pytest.fixture(name="deployment")
def _deployment(env: Environment) -> Deployment:
    return Deployment(env)


async def test_a_turn_ends_on_the_build_that_began_it_and_the_next_one_runs_on_the_new_one(
    env: Environment, deployment: Deployment
) -> None:
    """Pinned in mid turn, upgraded between turns, with its memory. (ours)"""
    old = build(1)
    client = await env.client()

    async with deployment.workers("1", old) as before:
        await make_current(client, deployment["1"])
        chat = before.chat()
        old.let.clear()
        sending = asyncio.create_task(chat.send("one"))
        await old.asked.wait()
        async with deployment.workers("2", build(2)):
            await make_current(client, deployment["2"])
            old.let.set()

            assert (await sending).text == "build 1: one"
            await eventually(lambda: is_on(chat, "2"))
            assert (await chat.send("two")).text == "build 2: two"
            assert [line.text for line in await chat.transcript()] == ["one", "build 1: one", "two", "build 2: two"]
            assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


async def test_an_idle_chat_is_handed_over_by_its_old_workers(env: Environment, deployment: Deployment) -> None:
    """Which may end then. (ours)"""
    client = await env.client()

    async with deployment.workers("1", build(1)) as before:
        chat = await begun_on_1(before, deployment)
        async with deployment.workers("2", build(2)):
            await make_current(client, deployment["2"])
            assert await is_on(chat, "1")

            done = await hand_over(client, deployment["2"], names.WORKFLOW_CHAT)

            assert done == HandedOver(moved=1, at_work=(), unanswered=())
            assert await is_on(chat, "2")
            assert (await chat.send("two")).text == "build 2: two"


async def test_an_idle_chat_whose_old_workers_are_gone_still_answers(env: Environment, deployment: Deployment) -> None:
    """Handed over it is not, and the rollout names it; put on the new build it replays there and answers. (ours)"""
    client = await env.client()

    async with deployment.workers("1", build(1)) as before:
        chat = await begun_on_1(before, deployment)
    async with deployment.workers("2", build(2)):
        await make_current(client, deployment["2"])
        sending = asyncio.create_task(chat.send("two"))

        stranded = await hand_over(client, deployment["2"], names.WORKFLOW_CHAT, patience=timedelta(seconds=2))
        assert stranded.unanswered == (chat.chat_id,)
        assert not sending.done()

        done = await hand_over(client, deployment["2"], names.WORKFLOW_CHAT, old_workers_gone=True)
        assert done == HandedOver(moved=1, at_work=(), unanswered=())
        assert (await sending).text == "build 2: two"


@pytest.mark.parametrize(
    ("workflow", "call", "name", "result"),
    [
        (
            StockPriceWorkflow.run,
            StockPriceRequest(ticker="AAPL"),
            names.ACTIVITY_STOCK_PRICE,
            StockPrice(ticker="AAPL", price=1, source="demo"),
        ),
        (
            RoiWorkflow.run,
            RoiRequest(principal=1, rate=1, years=1),
            names.ACTIVITY_ROI,
            Roi(principal=1, rate=1, years=1, final_value=1, gain=0),
        ),
        (
            JiraMetricsWorkflow.run,
            JiraMetricsRequest(project="DEMO"),
            names.ACTIVITY_JIRA_METRICS,
            ProjectMetrics(
                project="DEMO", open_issues=1, in_progress=1, closed_issues=1, days_to_close=1, source="demo"
            ),
        ),
    ],
    ids=["stock price", "ROI", "JIRA metrics"],
)
async def test_a_tool_call_in_flight_ends_on_the_new_build(
    deployment: Deployment, workflow: Any, call: BaseModel, name: str, result: BaseModel
) -> None:
    """It is short and not pinned: old workers that stop leave none behind. (ours)"""
    client = await deployment.env.client()
    begun = asyncio.Event()

    @activity.defn(name=name)
    async def hangs(_: Any) -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    @activity.defn(name=name)
    async def answers(_: Any) -> BaseModel:
        return result

    def worker(build_id: str, does: Callable[..., Any]) -> Worker:
        return Worker(
            client,
            task_queue=f"queue-{deployment.name}",
            workflows=[StockPriceWorkflow, RoiWorkflow, JiraMetricsWorkflow],
            activities=[does],
            deployment_config=deployment_config(deployment.settings(build_id)),
        )

    async with worker("2", answers):
        async with worker("1", hangs):
            await make_current(client, deployment["1"])
            handle = await client.start_workflow(
                workflow, call, id=f"call-{uuid4().hex}", task_queue=f"queue-{deployment.name}"
            )
            await begun.wait()
            await make_current(client, deployment["2"])
        async with asyncio.timeout(20):
            assert await handle.result() == result
