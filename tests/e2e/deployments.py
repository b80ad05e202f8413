"""Builds of the workers that share a task queue: for the tests of what becomes of open chats."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.common import WorkerDeploymentVersion

from durable_loop import names
from durable_loop.bootstrap.rollout import make_current
from durable_loop.bootstrap.services import finance_worker, it_worker
from durable_loop.settings import Settings
from durable_loop.testing import Agent, Environment, TestedChat
from tests.e2e.hostile import Slow

__all__ = ["Deployment", "begun_on_1", "build", "is_on"]


@dataclass(frozen=True)
class Deployment:
    """The builds of one deployment, whose workers share a task queue."""

    env: Environment
    name: str = field(default_factory=lambda: f"agents-{uuid4().hex[:8]}")

    def __getitem__(self, build_id: str) -> WorkerDeploymentVersion:
        """Return a build."""
        return WorkerDeploymentVersion(self.name, build_id)

    def settings(self, build_id: str) -> Settings:
        """Return the settings of a build's workers."""
        return self.env.settings.model_copy(update={"deployment": self.name, "build_id": build_id})

    def workers(self, build_id: str, model: Slow) -> AbstractAsyncContextManager[Agent]:
        """Run the orchestrator worker of a build, with this model."""
        return self.env.agent(model, orchestrator_queue=f"queue-{self.name}", deployment=self.name, build_id=build_id)

    @asynccontextmanager
    async def all_workers(self, build_id: str, model: Slow) -> AsyncGenerator[Agent]:
        """Run those behind the MCP servers too; the server must have no others."""
        async with AsyncExitStack() as running:
            for worker, namespace in ((finance_worker, names.NAMESPACE_FINANCE), (it_worker, names.NAMESPACE_IT)):
                await running.enter_async_context(worker(await self.env.client(namespace), self.settings(build_id)))
            yield await running.enter_async_context(self.workers(build_id, model))

    async def described(self) -> WorkerDeploymentInfo:
        """Return what the server says of it."""
        client = await self.env.client()
        response = await client.workflow_service.describe_worker_deployment(
            DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=self.name)
        )
        return response.worker_deployment_info


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


async def is_on(chat: TestedChat, build_id: str) -> bool:
    """Whether the chat's run is on this build."""
    described = await chat.handle.describe()
    info = described.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id == build_id
