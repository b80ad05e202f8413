"""`durable-loop rollout`: what it waits for, what it leaves, and what it says of it."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.client import (
    Client,
    DescribeWorkflowInput,
    Interceptor,
    ListWorkflowsInput,
    OutboundInterceptor,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names
from durable_loop.bootstrap import moving
from durable_loop.bootstrap import rollout as bootstrap_rollout
from durable_loop.bootstrap.moving import HandedOver, hand_over
from durable_loop.bootstrap.rollout import make_current, roll_out
from durable_loop.errors import SetupError, TemporalUnreachableError
from durable_loop.services.calls import Backing
from durable_loop.services.it.remote_session import RemoteItSession
from durable_loop.testing import Environment
from durable_loop.testing.processes import running_module
from tests.e2e.deployments import Deployment, begun_on_1, build, is_on
from tests.e2e.waiting import eventually
from tests.requirements import requirement

ALL_MOVED = HandedOver(moved=1, at_work=(), unanswered=())
NONE_LEFT = HandedOver(moved=0, at_work=(), unanswered=())


@pytest.fixture(name="deployment")
def _deployment(env: Environment) -> Deployment:
    return Deployment(env)


async def test_a_build_is_the_current_one_once_all_task_queues_know(deployment: Deployment) -> None:
    """Else a workflow could begin on the old build after nothing was left there. (ours)"""
    client = await deployment.env.client()
    async with deployment.workers("1", build(1)):
        await make_current(client, deployment["1"])

        described = await deployment.described()
    assert described.routing_config.current_deployment_version.build_id == "1"
    known = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_COMPLETED
    assert described.routing_config_update_state == known


async def test_a_build_without_workers_does_not_become_the_current_one(deployment: Deployment) -> None:
    """New chats would wait for ever; the error says what to do. (ours)"""
    with pytest.raises(SetupError, match=r"Build 9 of .* no Worker Deployment found") as refused:
        await make_current(await deployment.env.client(), deployment["9"], patience=timedelta(seconds=1))
    assert "Start the new workers first" in str(refused.value)


async def test_a_build_that_serves_fewer_task_queues_does_not_become_the_current_one(deployment: Deployment) -> None:
    """What waits on the others would be left; the error has the server's own reason. (ours)"""
    client = await deployment.env.client()
    async with deployment.workers("1", build(1)) as before:
        await begun_on_1(before, deployment)
        async with deployment.env.agent(build(2), deployment=deployment.name, build_id="2"):
            with pytest.raises(SetupError, match="is missing active task queues"):
                await make_current(client, deployment["2"], patience=timedelta(seconds=1))
        assert (await deployment.described()).routing_config.current_deployment_version.build_id == "1"


async def test_a_chat_in_mid_turn_is_left_at_work(deployment: Deployment) -> None:
    """It moves when its turn ends. (ours)"""
    old = build(1)
    client = await deployment.env.client()
    async with deployment.workers("1", old) as before:
        chat = await begun_on_1(before, deployment)
        old.asked.clear()
        old.let.clear()
        sending = asyncio.create_task(chat.send("two"))
        await old.asked.wait()
        async with deployment.workers("2", build(2)):
            await make_current(client, deployment["2"])

            done = await hand_over(client, deployment["2"], patience=timedelta(seconds=1))
            assert done == HandedOver(moved=0, at_work=(chat.chat_id,), unanswered=())
            old.let.set()
            assert (await sending).text == "build 1: two"
            await eventually(lambda: is_on(chat, "2"))


async def test_a_chat_that_does_not_move_is_woken_three_times(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every signal stays in its history. (ours)"""
    monkeypatch.setattr(moving, "INTERVAL", timedelta(seconds=0.02))
    monkeypatch.setattr(moving, "WAKE_AFTER", (timedelta(0),) * 3)
    client = await deployment.env.client()
    async with deployment.workers("1", build(1)) as before:
        chat = await begun_on_1(before, deployment)
    async with deployment.workers("2", build(2)):
        await make_current(client, deployment["2"])
        await hand_over(client, deployment["2"], patience=timedelta(seconds=1))

        assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 3


async def test_a_chat_put_on_a_build_that_does_not_answer_is_left(deployment: Deployment) -> None:
    """The list says that it is there already. (ours)"""
    client = await deployment.env.client()
    async with deployment.workers("1", build(1)) as before:
        chat = await begun_on_1(before, deployment)
    async with deployment.workers("2", build(2)):
        await make_current(client, deployment["2"])
    for old_workers_gone in (True, False):
        done = await hand_over(
            client, deployment["2"], old_workers_gone=old_workers_gone, patience=timedelta(seconds=2)
        )
        assert done == HandedOver(moved=0, at_work=(), unanswered=(chat.chat_id,))


async def test_a_chat_that_is_listed_late_is_handed_over(deployment: Deployment) -> None:
    """The first look does not see one that has just begun. (ours)"""
    async with deployment.workers("1", build(1)) as before:
        chat = await begun_on_1(before, deployment)
        async with deployment.workers("2", build(2)):
            late = await client_with(deployment.env, ListedLate())
            await make_current(late, deployment["2"])

            assert await hand_over(late, deployment["2"]) == ALL_MOVED
            assert await is_on(chat, "2")


async def test_patience_counts_from_the_last_chat_that_moved(deployment: Deployment) -> None:
    """Where there are many, one look takes longer than that. (ours)"""
    async with deployment.workers("1", build(1)) as before:
        for chat in [await begun_on_1(before, deployment), before.chat(), before.chat()]:
            await chat.send("more")
        async with deployment.workers("2", build(2)):
            slow = await client_with(deployment.env, SlowToDescribe())
            await make_current(slow, deployment["2"])

            done = await hand_over(slow, deployment["2"], patience=timedelta(seconds=0.5))
            assert done == HandedOver(moved=3, at_work=(), unanswered=())


@pytest.mark.parametrize("old_workers_gone", [False, True], ids=["woken", "put on the new build"])
@pytest.mark.parametrize("when", ["before it is looked at", "before it is woken", "before, and is deleted"])
async def test_a_chat_that_ends_meanwhile_is_not_left(
    deployment: Deployment, when: str, *, old_workers_gone: bool
) -> None:
    """Nor is it counted as moved. (ours)"""
    async with deployment.workers("1", build(1)) as before:
        await begun_on_1(before, deployment)
        async with deployment.workers("2", build(2)):
            client = await client_with(deployment.env, EndsMeanwhile(await deployment.env.client(), when))
            await make_current(client, deployment["2"])

            done = await hand_over(client, deployment["2"], old_workers_gone=old_workers_gone)
            assert done == NONE_LEFT


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (RPCStatusCode.UNAVAILABLE, TemporalUnreachableError, "Temporal no longer answers in the namespace"),
        (RPCStatusCode.PERMISSION_DENIED, SetupError, r"Temporal refuses .* \(PERMISSION_DENIED\): not you"),
    ],
    ids=["away", "refuses"],
)
async def test_what_temporal_refuses_is_said_in_words(
    env: Environment, monkeypatch: pytest.MonkeyPatch, status: RPCStatusCode, error: type[Exception], message: str
) -> None:
    """With the namespace, and that the command can be run again. (ours)"""

    async def refuse(*_: Any) -> None:
        raise RPCError("not you", status, b"")

    monkeypatch.setenv("TEMPORAL_ADDRESS", env.address)
    monkeypatch.setattr(bootstrap_rollout, "make_current", refuse)
    settings = Deployment(env).settings("1")
    with pytest.raises(error, match=message) as refused:
        await roll_out(settings, old_workers_gone=False, patience=timedelta(seconds=1))
    assert names.NAMESPACE_FINANCE in str(refused.value)
    assert "run the command again" in str(refused.value)


@requirement("durability.rollout")
async def test_real_workers_are_rolled_out_by_a_command(tmp_path: Path) -> None:
    """In all three namespaces; an IT session moves too and keeps what it knows; the command says what it did. (ours)"""
    # A server of its own: its queues belong to a deployment from here on.
    async with Environment.start(service_workers=False) as env, AsyncExitStack() as running:
        client = await env.client(names.NAMESPACE_IT)
        backing = Backing(client, service="IT", task_queue=names.QUEUE_IT, timeout=timedelta(seconds=20))
        session = RemoteItSession(backing, name="s")
        for build_id, handed_over in (("1", 0), ("2", 1)):
            environment = of_build(env, "stack", build_id)
            for module in ("workers.orchestrator_worker", "workers.finance_worker", "workers.it_worker"):
                log = tmp_path / f"{module}-{build_id}.log"
                await running.enter_async_context(running_module(module, environment=environment, log=log))

            assert await rollout(environment) == (0, rolled_out("stack", build_id, handed_over=handed_over))
            tracked = await session.track_ip(key=f"key-{build_id}")
            assert tracked.number == int(build_id)


@requirement("durability.rollout")
async def test_the_command_names_what_is_left_and_why() -> None:
    """With exit code 1; a chat in mid turn moves by itself, one whose workers are gone by an option. (ours)"""
    async with Environment.start(service_workers=False) as env:
        deployment = Deployment(env)
        old = build(1)
        async with deployment.all_workers("1", old) as before:
            chat = await begun_on_1(before, deployment)
            old.asked.clear()
            old.let.clear()
            sending = asyncio.create_task(chat.send("two"))
            await old.asked.wait()
            async with deployment.all_workers("2", build(2)):
                new = of_build(env, deployment.name, "2")
                code, output = await rollout(new, "--patience", "1")

                assert code == 1
                assert output == rolled_out(deployment.name, "2", handed_over=0) + (
                    f"1 still at work on an older build: {chat.chat_id}\n"
                    "A turn or a tool call has to end first: leave the old workers running, and run this command again "
                    "later.\n"
                )
                old.let.set()
                await sending
                await eventually(lambda: is_on(chat, "2"))
                assert await rollout(new) == (0, rolled_out(deployment.name, "2", handed_over=0))
        async with deployment.all_workers("3", build(3)):
            newer = of_build(env, deployment.name, "3")
            code, output = await rollout(newer, "--patience", "2")

            assert code == 1
            assert output == rolled_out(deployment.name, "3", handed_over=0) + (
                f"1 waiting for the workers of an older build, which do not answer: {chat.chat_id}\n"
                "Start these again, then run this command again; or say --old-workers-gone, if the new build can "
                "replay what they ran.\n"
            )
            assert await rollout(newer, "--old-workers-gone") == (
                0,
                rolled_out(deployment.name, "3", handed_over=1),
            )
            assert (await chat.send("three")).text == "build 3: three"


async def test_a_rollout_without_a_build_says_what_it_needs() -> None:
    """Exit code 2 and a sentence. (ours)"""
    code, output = await rollout(dict(os.environ))

    assert code == 2
    assert output.startswith("A rollout needs DURABLE_LOOP_DEPLOYMENT and DURABLE_LOOP_BUILD_ID")


class ListedLate(Interceptor):
    """The first list is empty."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's signature
        """Intercept."""
        return _ListedLate(next)


class _ListedLate(OutboundInterceptor):
    first = True

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:  # noqa: A002 - the SDK's signature
        if self.first:
            self.first = False
            input.query = "WorkflowId = 'nobody'"
        return super().list_workflows(input)


class SlowToDescribe(Interceptor):
    """A server that takes its time with every workflow."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's signature
        """Intercept."""
        return _SlowToDescribe(next)


class _SlowToDescribe(OutboundInterceptor):
    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:  # noqa: A002 - the SDK's signature
        await asyncio.sleep(0.25)
        return await super().describe_workflow(input)


class EndsMeanwhile(Interceptor):
    """Whatever is described has ended by then, or is not there any more, or ends right after it."""

    def __init__(self, client: Client, when: str) -> None:
        self.client = client
        self.when = when

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's signature
        """Intercept."""
        return _EndsMeanwhile(next, self)


class _EndsMeanwhile(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, ending: EndsMeanwhile) -> None:  # noqa: A002 - the SDK's signature
        super().__init__(next)
        self._ending = ending

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:  # noqa: A002 - the SDK's signature
        if self._ending.when == "before, and is deleted":
            input.id = "deleted"
            return await super().describe_workflow(input)
        described = await super().describe_workflow(input)
        if described.status is not WorkflowExecutionStatus.RUNNING:
            return described
        await self._ending.client.get_workflow_handle(input.id).terminate()
        return described if self._ending.when == "before it is woken" else await super().describe_workflow(input)


async def client_with(env: Environment, interceptor: Interceptor) -> Client:
    """Connect a client with this interceptor."""
    client = await env.client()
    return Client(
        client.service_client,
        namespace=client.namespace,
        data_converter=client.data_converter,
        interceptors=[interceptor],
    )


def of_build(env: Environment, deployment: str, build_id: str) -> dict[str, str]:
    """Return the environment of a build's processes."""
    return {
        **os.environ,
        "TEMPORAL_ADDRESS": env.address,
        "DURABLE_LOOP_DEPLOYMENT": deployment,
        "DURABLE_LOOP_BUILD_ID": build_id,
    }


def rolled_out(deployment: str, build_id: str, *, handed_over: int) -> str:
    """Return what the command says first."""
    return f"Build {build_id} of {deployment} is the current one. Open workflows handed over to it: {handed_over}.\n"


async def rollout(environment: Mapping[str, str], *arguments: str) -> tuple[int | None, str]:
    """Run `durable-loop rollout`; return its exit code and what it says."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("durable-loop"),
        "rollout",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()
