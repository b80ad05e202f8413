"""Real worker processes, LiteLLM, and stubs that speak the providers' wire formats: what a user of a key gets."""

import pytest

from durable_loop.errors import TurnFailedError
from durable_loop.testing import Environment
from tests.e2e.soundness import sound_runs
from tests.providers.provider_stubs import Fault
from tests.providers.provider_workers import ATTEMPTS, KEY, OPENAI, ProviderWorker
from tests.requirements import requirement


@requirement("models.any")
async def test_a_chat_with_tools_runs_through_litellm(keyed_worker: ProviderWorker) -> None:
    """A tool call, its answer, and memory of the turn before, in the provider's own format. (seed)"""
    async with keyed_worker.chat() as chat:
        first = await chat.send("Calculate 15 * 23")
        second = await chat.send('call stock_price {"ticker": "AAPL"}')

        assert "345" in first.text
        assert "$185.50" in second.text
        assert "Calculate 15 * 23" in str(keyed_worker.stub.requests[-1].body)
        assert {request.key for request in keyed_worker.stub.requests} == {KEY}


@requirement("durability.retries")
async def test_a_wrong_key_is_told_in_words_and_tried_once(keyed_worker: ProviderWorker) -> None:
    """401 is final; the sentence names the variable and never the key. (ours)"""
    async with keyed_worker.chat(Fault(status=401, message="bad key {key}")) as chat:
        with pytest.raises(TurnFailedError, match="_API_KEY") as refused:
            await chat.send("hello")

        assert KEY not in str(refused.value)
        assert len(keyed_worker.stub.requests) == 1


@pytest.mark.parametrize("keyed_worker", [OPENAI], ids=["openai"], indirect=True)
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "The provider refused the request (400): no, said the provider."),
        (401, "The provider refused the key (401): check OPENAI_API_KEY."),
        (404, "(404): check LLM_MODEL. It said: no, said the provider."),
    ],
)
@requirement("durability.retries")
async def test_what_a_provider_refuses_for_good_is_tried_once(
    env: Environment, keyed_worker: ProviderWorker, status: int, words: str
) -> None:
    """The sentence says what the provider said, and never of a key; the next turn works. (ours)"""
    refusal = Fault(status=status, message="no, said the provider", times=1)

    async with keyed_worker.chat(refusal) as chat:
        with pytest.raises(TurnFailedError) as failed:
            await chat.send("go")
        assert words in str(failed.value)
        assert len(keyed_worker.stub.requests) == 1
        assert (await chat.send("again")).text == "You said: again"
        await sound_runs(env, chat)


@requirement("durability.retries")
async def test_a_rate_limit_is_waited_out(keyed_worker: ProviderWorker) -> None:
    """429 with Retry-After, then success: the user sees the answer alone. (ours)"""
    async with keyed_worker.chat(Fault(status=429, headers=(("retry-after", "1"),), times=1)) as chat:
        assert (await chat.send("hello")).text == "You said: hello"
        assert len(keyed_worker.stub.requests) == 2


@requirement("durability.retries")
async def test_a_provider_that_is_down_for_good_is_told_in_words(keyed_worker: ProviderWorker) -> None:
    """500 for ever: tried a bounded number of times, then a readable error; the chat goes on. (ours)"""
    async with keyed_worker.chat(Fault(status=500, times=ATTEMPTS)) as chat:
        with pytest.raises(TurnFailedError, match="500"):
            await chat.send("hello")
        assert len(keyed_worker.stub.requests) == ATTEMPTS

        assert (await chat.send("again")).text == "You said: again"


@requirement("agents.tracing")
async def test_the_worker_connects_to_no_host_but_the_provider_and_its_own_stack(keyed_worker: ProviderWorker) -> None:
    """No traces, price maps or telemetry: all that is seen is loopback, where stub and stack are. (ours)"""
    async with keyed_worker.chat() as chat:
        assert "345" in (await chat.send("Calculate 15 * 23")).text

    assert set(keyed_worker.connections.read_text().split()) == {"127.0.0.1"}
