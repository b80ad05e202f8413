"""Real worker processes, LiteLLM, and stubs that speak the providers' wire formats: what a user of a key gets."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from durable_loop.errors import TurnFailedError
from durable_loop.models.naming import resolve_model
from durable_loop.testing import Environment, McpTransport, TestedChat, WorkerPlace
from tests.e2e.audit import FILE_VARIABLE
from tests.e2e.provider_stubs import Fault, ProviderStub, anthropic_stub, openai_stub
from tests.requirements import requirement

ROOT = Path(__file__).parents[2]
# What the seed warns of: tracing that is on and has nowhere to go.
COMPLAINTS = ("skipping tool output", "skipping trace export", "OPENAI_API_KEY is not set")
KEY = "sk-test-1234567890abcdef"
Stub = Callable[..., AbstractAsyncContextManager[ProviderStub]]
PROVIDERS = pytest.mark.parametrize(
    ("stub_of", "llm_model"),
    [(openai_stub, "gpt-4"), (anthropic_stub, "claude-3-5-sonnet-20241022")],
    ids=["openai", "anthropic"],
)


@asynccontextmanager
async def chat_with(
    env: Environment,
    stub: ProviderStub,
    llm_model: str,
    environment: Mapping[str, str] | None = None,
    **settings: object,
) -> AsyncGenerator[TestedChat]:
    """Chat with a worker process whose provider is the stub; its log must not complain."""
    async with env.agent(
        None,
        workers=WorkerPlace.SUBPROCESS,
        mcp=McpTransport.HTTP,
        environment={**stub.environment(KEY), **(environment or {})},
        llm_model=resolve_model(llm_model).name,
        **settings,
    ) as agent:
        yield agent.chat()
        assert agent.worker is not None
        log = agent.worker.log.read_text()
        assert not [complaint for complaint in COMPLAINTS if complaint in log]
        assert KEY not in log


@PROVIDERS
@requirement("models.any")
async def test_a_chat_with_tools_runs_through_litellm(env: Environment, stub_of: Stub, llm_model: str) -> None:
    """A tool call, its answer, and memory of the turn before, in the provider's own format. (seed)"""
    async with stub_of() as stub, chat_with(env, stub, llm_model) as chat:
        first = await chat.send("Calculate 15 * 23")
        second = await chat.send('call stock_price {"ticker": "AAPL"}')

        assert "345" in first.text
        assert "$185.50" in second.text
        assert "Calculate 15 * 23" in str(stub.requests[-1].body)
        assert {request.key for request in stub.requests} == {KEY}


@PROVIDERS
@requirement("durability.retries")
async def test_a_wrong_key_is_told_in_words_and_tried_once(env: Environment, stub_of: Stub, llm_model: str) -> None:
    """401 is final; the sentence names the variable and never the key. (ours)"""
    async with stub_of(Fault(status=401, message="bad key {key}")) as stub, chat_with(env, stub, llm_model) as chat:
        with pytest.raises(TurnFailedError, match="_API_KEY") as refused:
            await chat.send("hello")

        assert KEY not in str(refused.value)
        assert len(stub.requests) == 1
        assert KEY not in str((await chat.history()).for_replay().to_json())


@PROVIDERS
@requirement("durability.retries")
async def test_a_rate_limit_is_waited_out(env: Environment, stub_of: Stub, llm_model: str) -> None:
    """429 with Retry-After, then success: the user sees the answer alone. (ours)"""
    busy = Fault(status=429, headers=(("retry-after", "1"),), times=1)

    async with stub_of(busy) as stub, chat_with(env, stub, llm_model) as chat:
        assert (await chat.send("hello")).text == "You said: hello"
        assert len(stub.requests) == 2


@PROVIDERS
@requirement("durability.retries")
async def test_a_provider_that_is_down_for_good_is_told_in_words(
    env: Environment, stub_of: Stub, llm_model: str
) -> None:
    """500 for ever: tried a bounded number of times, then a readable error; the chat goes on. (ours)"""
    down = Fault(status=500, times=3)

    async with stub_of(down) as stub, chat_with(env, stub, llm_model, model_attempts=3) as chat:
        with pytest.raises(TurnFailedError, match="500"):
            await chat.send("hello")
        assert len(stub.requests) == 3

        assert (await chat.send("again")).text == "You said: again"


@PROVIDERS
@requirement("agents.tracing")
async def test_the_worker_connects_to_no_host_but_the_provider_and_its_own_stack(
    env: Environment, stub_of: Stub, llm_model: str, tmp_path: Path
) -> None:
    """No traces, price maps or telemetry: all that is seen is loopback, where stub and stack are. (ours)"""
    seen = tmp_path / "connections"
    audited = {FILE_VARIABLE: str(seen), "DURABLE_LOOP_INTERCEPTORS": "tests.e2e.audit:connections"}

    async with stub_of() as stub, chat_with(env, stub, llm_model, {**audited, "PYTHONPATH": str(ROOT)}) as chat:
        assert "345" in (await chat.send("Calculate 15 * 23")).text

    assert set(seen.read_text().split()) == {"127.0.0.1"}
