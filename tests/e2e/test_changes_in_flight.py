"""Open chats while a new build of the workers takes over, on a dev server with two builds."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.common import WorkerDeploymentVersion

from durable_loop import names
from durable_loop.bootstrap.moving import HandedOver, hand_over
from durable_loop.bootstrap.rollout import make_current
from durable_loop.errors import SetupError
from durable_loop.services.calls import Backing
from durable_loop.services.it.remote_session import RemoteItSession
from durable_loop.testing import Agent, Environment, TestedChat
from durable_loop.testing.processes import running_module
from tests.e2e.hostile import Slow
from tests.e2e.waiting import eventually


@dataclass(frozen=True)
class Deployment:
    """The builds of one deployment, whose workers share a task queue."""

    env: Environment
    name: str = field(default_factory=lambda: f"agents-{uuid4().hex[:8]}")

    def __getitem__(self, build_id: str) -> WorkerDeploymentVersion:
        """Return a build."""
        return WorkerDeploymentVersion(self.name, build_id)

    def workers(self, build_id: str, model: Slow) -> AbstractAsyncContextManager[Agent]:
        """Run workers of a build, with this model."""
        return self.env.agent(model, orchestrator_queue=f"queue-{self.name}", deployment=self.name, build_id=build_id)

    async def has_current(self, build_id: str) -> bool:
        """Whether the task queue has learned that this build is the current one."""
        client = await self.env.client()
        described = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=f"queue-{self.name}"),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
        return described.versioning_info.current_deployment_version.build_id == build_id


@pytest.fixture(name="deployment")
def _deployment(env: Environment) -> Deployment:
    return Deployment(env)


def build(number: int) -> Slow:
    """Return a model that says which build it belongs to, and that is let answer."""
    model = Slow(f"build {number}: ")
    model.let.set()
    return model


async def begun_on_1(agent: Agent, deployment: Deployment) -> TestedChat:
    """Make build 1 the current one; return a chat that has had its first turn there."""
    await make_current(await deployment.env.client(), deployment["1"])
    chat = agent.chat()
    await chat.send("one")
    return chat


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
            await eventually(lambda: deployment.has_current("2"))
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


async def test_a_build_without_workers_does_not_become_the_current_one(
    env: Environment, deployment: Deployment
) -> None:
    """New chats would wait for ever; the error says what to do. (ours)"""
    with pytest.raises(SetupError, match="Build 9 of") as refused:
        await make_current(await env.client(), deployment["9"], patience=timedelta(seconds=1))
    assert "Start the new workers first" in str(refused.value)


async def test_real_workers_are_rolled_out_by_a_command(tmp_path: Path) -> None:
    """In all three namespaces; an IT session moves too and keeps what it knows; the command says what it did. (ours)"""
    # A server of its own: its queues belong to a deployment from here on.
    async with Environment.start(service_workers=False) as env, AsyncExitStack() as running:
        client = await env.client(names.NAMESPACE_IT)
        backing = Backing(client, service="IT", task_queue=names.QUEUE_IT, timeout=timedelta(seconds=20))
        session = RemoteItSession(backing, name="s")
        for build_id, handed_over in (("1", 0), ("2", 1)):
            environment = {
                **os.environ,
                "TEMPORAL_ADDRESS": env.address,
                "DURABLE_LOOP_DEPLOYMENT": "stack",
                "DURABLE_LOOP_BUILD_ID": build_id,
            }
            for module in ("workers.orchestrator_worker", "workers.finance_worker", "workers.it_worker"):
                log = tmp_path / f"{module}-{build_id}.log"
                await running.enter_async_context(running_module(module, environment=environment, log=log))

            assert await rollout(environment) == (
                0,
                f"Build {build_id} of stack is the current one. Open workflows handed over to it: {handed_over}.\n",
            )
            tracked = await session.track_ip(key=f"key-{build_id}")
            assert tracked.number == int(build_id)


async def test_a_rollout_without_a_build_says_what_it_needs() -> None:
    """Exit code 2 and a sentence. (ours)"""
    code, output = await rollout(dict(os.environ))

    assert code == 2
    assert output.startswith("A rollout needs DURABLE_LOOP_DEPLOYMENT and DURABLE_LOOP_BUILD_ID")


async def rollout(environment: Mapping[str, str]) -> tuple[int | None, str]:
    """Run `durable-loop rollout`; return its exit code and what it says."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("durable-loop"),
        "rollout",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def is_on(chat: TestedChat, build_id: str) -> bool:
    """Whether the chat's run is on this build."""
    described = await chat.handle.describe()
    info = described.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id == build_id
