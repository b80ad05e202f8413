"""Open chats while a new build of the workers takes over, on a dev server with two builds."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from durable_loop.bootstrap.deployment import deployment_config
from durable_loop.bootstrap.interceptors import interceptors
from durable_loop.bootstrap.moving import HandedOver, hand_over
from durable_loop.bootstrap.rollout import make_current
from durable_loop.services.finance import worker as finance
from durable_loop.services.finance.messages import StockPrice, StockPriceRequest
from durable_loop.services.finance.workflows import StockPriceWorkflow
from durable_loop.testing import Environment
from tests.e2e.deployments import Deployment, begun_on_1, build, is_on
from tests.e2e.waiting import eventually
from tests.requirements import requirement


@pytest.fixture(name="deployment")
def _deployment(env: Environment) -> Deployment:
    return Deployment(env)


@requirement("temporal.versioning")
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


@requirement("temporal.versioning")
async def test_an_idle_chat_is_handed_over_by_its_old_workers(env: Environment, deployment: Deployment) -> None:
    """Which may end then. (ours)"""
    client = await env.client()

    async with deployment.workers("1", build(1)) as before:
        chat = await begun_on_1(before, deployment)
        async with deployment.workers("2", build(2)):
            await make_current(client, deployment["2"])
            assert await is_on(chat, "1")

            done = await hand_over(client, deployment["2"])

            assert done == HandedOver(moved=1, at_work=(), unanswered=())
            assert await is_on(chat, "2")
            assert (await chat.send("two")).text == "build 2: two"


@requirement("temporal.stranded")
async def test_an_idle_chat_whose_old_workers_are_gone_still_answers(env: Environment, deployment: Deployment) -> None:
    """Handed over it is not, and the rollout names it; put on the new build it replays there and answers. (ours)"""
    client = await env.client()

    async with deployment.workers("1", build(1)) as before:
        chat = await begun_on_1(before, deployment)
    async with deployment.workers("2", build(2)):
        await make_current(client, deployment["2"])
        sending = asyncio.create_task(chat.send("two"))

        stranded = await hand_over(client, deployment["2"], patience=timedelta(seconds=2))
        assert stranded.unanswered == (chat.chat_id,)
        assert not sending.done()

        done = await hand_over(client, deployment["2"], old_workers_gone=True)
        assert done == HandedOver(moved=1, at_work=(), unanswered=())
        assert (await sending).text == "build 2: two"


async def test_a_tool_call_in_flight_is_waited_for(deployment: Deployment) -> None:
    """Old workers that stopped now would leave it behind. (ours)"""
    client = await deployment.env.client()
    prices = SlowPrices()
    async with finance_worker(client, deployment, "1", prices), finance_worker(client, deployment, "2", prices):
        call = await called_on_1(client, deployment, prices)
        await make_current(client, deployment["2"])

        done = await hand_over(client, deployment["2"], patience=timedelta(seconds=1))
        assert done == HandedOver(moved=0, at_work=(call.id,), unanswered=())
        prices.let.set()
        assert await hand_over(client, deployment["2"]) == HandedOver(moved=0, at_work=(), unanswered=())
        assert (await call.result()).price == 1


async def test_a_tool_call_whose_old_workers_are_gone_is_put_on_the_new_build(deployment: Deployment) -> None:
    """Its caller has given up, and the same call again gets its result. (ours)"""
    client = await deployment.env.client()
    prices = SlowPrices()
    async with finance_worker(client, deployment, "1", prices):
        call = await called_on_1(client, deployment, prices)
    prices.let.set()
    async with finance_worker(client, deployment, "2", prices):
        await make_current(client, deployment["2"])

        stranded = await hand_over(client, deployment["2"], patience=timedelta(seconds=2))
        assert stranded == HandedOver(moved=0, at_work=(), unanswered=(call.id,))
        await hand_over(client, deployment["2"], old_workers_gone=True)
        assert (await call.result()).price == 1


class SlowPrices:
    """Every share costs 1, once that is let out."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def price(self, ticker: str) -> StockPrice:
        """Return the price."""
        self.asked.set()
        await self.let.wait()
        return StockPrice(ticker=ticker, price=1, source="test")


def finance_worker(client: Client, deployment: Deployment, build_id: str, prices: SlowPrices) -> Worker:
    """Return the finance worker of a build, on the deployment's own task queue."""
    settings = deployment.settings(build_id)
    return Worker(
        client,
        task_queue=f"queue-{deployment.name}",
        workflows=finance.WORKFLOWS,
        activities=finance.activities(prices),
        interceptors=interceptors(settings),
        deployment_config=deployment_config(settings),
    )


async def called_on_1(
    client: Client, deployment: Deployment, prices: SlowPrices
) -> WorkflowHandle[StockPriceWorkflow, StockPrice]:
    """Make build 1 the current one; return a call that its worker is at."""
    await make_current(client, deployment["1"])
    call = await client.start_workflow(
        StockPriceWorkflow.run,
        StockPriceRequest(ticker="AAPL"),
        id=f"call-{uuid4().hex}",
        task_queue=f"queue-{deployment.name}",
    )
    await prices.asked.wait()
    return call
