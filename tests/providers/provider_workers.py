"""Real worker processes, LiteLLM in them, whose provider is a stub: one for a module's tests, which take turns."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from durable_loop.models.naming import resolve_model
from durable_loop.testing import Agent, Environment, McpTransport, TestedChat, WorkerPlace
from tests.providers.audit import FILE_VARIABLE
from tests.providers.provider_stubs import Fault, ProviderStub, anthropic_stub, openai_stub

__all__ = ["ATTEMPTS", "KEY", "OPENAI", "PROVIDERS", "Provider", "ProviderWorker", "provider_worker"]

ROOT = Path(__file__).parents[2]
# What the seed warns of: tracing that is on and has nowhere to go.
COMPLAINTS = ("skipping tool output", "skipping trace export", "OPENAI_API_KEY is not set")
KEY = "sk-test-1234567890abcdef"
ATTEMPTS = 3


@dataclass(frozen=True)
class Provider:
    """A provider by its stub, and a model of it."""

    stub: Callable[..., AbstractAsyncContextManager[ProviderStub]]
    llm_model: str


OPENAI = Provider(openai_stub, "gpt-4")
PROVIDERS = (OPENAI, Provider(anthropic_stub, "claude-3-5-sonnet-20241022"))


@dataclass(frozen=True)
class ProviderWorker:
    """The worker's agent, its provider, and the file of the hosts that the process has connected to."""

    agent: Agent
    stub: ProviderStub
    connections: Path

    @asynccontextmanager
    async def chat(self, *faults: Fault) -> AsyncGenerator[TestedChat]:
        """Give a fresh chat whose model calls meet the faults first; no more than the loopback interface is reached.

        The worker's log must not complain, and neither log nor history have the key.
        """
        self.stub.start_over(*faults)
        chat = self.agent.chat()
        yield chat
        assert set(self.connections.read_text().split()) == {"127.0.0.1"}
        assert self.agent.worker is not None
        log = self.agent.worker.log.read_text()
        assert not [complaint for complaint in COMPLAINTS if complaint in log]
        assert KEY not in log
        assert KEY not in str((await chat.history()).for_replay().to_json())


@asynccontextmanager
async def provider_worker(env: Environment, provider: Provider, folder: Path) -> AsyncGenerator[ProviderWorker]:
    """Run a worker with a provider's key; what it connects to is written into the folder."""
    connections = folder / "connections"
    async with (
        provider.stub() as stub,
        env.agent(
            None,
            workers=WorkerPlace.SUBPROCESS,
            mcp=McpTransport.HTTP,
            environment={**stub.environment(KEY), FILE_VARIABLE: str(connections), "PYTHONPATH": str(ROOT)},
            llm_model=resolve_model(provider.llm_model).name,
            interceptors=("tests.providers.audit:connections",),
            model_attempts=ATTEMPTS,
        ) as agent,
    ):
        yield ProviderWorker(agent, stub, connections)
