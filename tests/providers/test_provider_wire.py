"""LiteLLM on the wire: what we send, how often, to whom, and what we make of the answers."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, Model, ModelResponse, ModelSettings, ModelTracing, RunConfig, Runner, function_tool
from openai.types.responses import ResponseTextDeltaEvent
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from durable_loop.models.offline import OfflineModel
from durable_loop.models.provider import DurableModelProvider
from tests.providers.provider_stubs import Fault, ProviderStub, anthropic_stub, openai_stub
from tests.requirements import requirement

# LiteLLM silences these itself when it is imported; pytest undoes that for every test.
pytestmark = pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier.*:UserWarning")

KEY = "sk-proj-wire-0123456789abcdefghij"
TIMEOUT = timedelta(seconds=30)

# The rest of a model's arguments: settings, tools, output schema, handoffs, tracing …
NOTHING_ELSE: Any = (ModelSettings(), [], None, [], ModelTracing.DISABLED)
NO_MEMORY: Any = {"previous_response_id": None, "conversation_id": None, "prompt": None}


@dataclass(frozen=True)
class Wire:
    """A provider as we meet it: its stub, a model of it, and what its requests look like."""

    stub: Callable[..., AbstractAsyncContextManager[ProviderStub]]
    model: str
    path: str
    key_variable: str


OPENAI = Wire(openai_stub, "gpt-4", "/v1/chat/completions", "OPENAI_API_KEY")
ANTHROPIC = Wire(anthropic_stub, "claude-3-5-sonnet-20241022", "/v1/messages", "ANTHROPIC_API_KEY")
both_wires = pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])


@pytest.fixture(name="provider")
async def _provider() -> AsyncGenerator[DurableModelProvider]:
    provider = DurableModelProvider(timeout=TIMEOUT)
    yield provider
    await provider.aclose()


def use(stub: ProviderStub, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in stub.environment(KEY).items():
        monkeypatch.setenv(variable, value)


async def ask(model: Model, text: str) -> ModelResponse:
    return await model.get_response("Be brief.", text, *NOTHING_ELSE, **NO_MEMORY)


async def failure_of(model: Model, text: str = "Hello") -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await ask(model, text)
    return caught.value


async def as_written_to_history(error: ApplicationError) -> str:
    """Return all text that Temporal would store: message, stack trace, causes."""
    failure = Failure()
    await DataConverter.default.encode_failure(error, failure)
    return str(failure)


@function_tool
def calculator(expression: str) -> str:
    """Work out an expression."""
    return f"{expression} is 345"


@both_wires
@requirement("models.any")
async def test_a_turn_with_a_tool_takes_two_requests(
    wire: Wire, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tool call, result, answer: in the provider's own dialect, with the key of its own variable (seed)."""
    agent = Agent(name="agent", instructions="Be brief.", tools=[calculator], model=wire.model)
    async with wire.stub() as stub:
        use(stub, monkeypatch)

        result = await Runner.run(
            agent, "Calculate 15 * 23", run_config=RunConfig(model_provider=provider, tracing_disabled=True)
        )

    assert result.final_output == "The tool said: 15 * 23 is 345"
    assert [(request.path, request.key) for request in stub.requests] == [(wire.path, KEY)] * 2
    assert stub.requests[0].body["model"] == wire.model


@both_wires
async def test_a_second_turn_with_two_tools_at_once_is_a_conversation_that_the_provider_accepts(
    wire: Wire, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stub refuses, as the provider would, a transcript whose calls and results do not pair up (ours)."""
    agent = Agent(name="agent", instructions="Be brief.", tools=[calculator], model=wire.model)
    config = RunConfig(model_provider=provider, tracing_disabled=True)
    two_calls = 'call calculator {"expression": "1 + 1"}\ncall calculator {"expression": "2 + 2"}'
    async with wire.stub() as stub:
        use(stub, monkeypatch)

        first = await Runner.run(agent, two_calls, run_config=config)
        second = await Runner.run(
            agent, [*first.to_input_list(), {"role": "user", "content": "Calculate 3 + 3"}], run_config=config
        )

    assert first.final_output == "The tool said: 1 + 1 is 345; 2 + 2 is 345"
    assert second.final_output == "The tool said: 3 + 3 is 345"


@both_wires
async def test_a_streamed_turn_comes_in_pieces(
    wire: Wire, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same turn, word by word (ours)."""
    agent = Agent(name="agent", tools=[calculator], model=wire.model)
    async with wire.stub() as stub:
        use(stub, monkeypatch)

        result = Runner.run_streamed(
            agent, "Calculate 15 * 23", run_config=RunConfig(model_provider=provider, tracing_disabled=True)
        )
        pieces = [
            event.data.delta
            async for event in result.stream_events()
            if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
        ]

    assert result.final_output == "".join(pieces) == "The tool said: 15 * 23 is 345"
    assert len(pieces) > 1
    assert len(stub.requests) == 2


@both_wires
@pytest.mark.parametrize(
    ("fault", "posture", "words"),
    [
        (Fault(status=401, message="Incorrect API key provided: {key}."), "final", "refused the key (401): check {}."),
        (Fault(status=402, message="Pay, {key}"), "final", "account of {} has no credit left (402): Pay, REDACTED."),
        (Fault(status=403, message="Not for {key}"), "final", "what {} may use. It said: Not for REDACTED."),
        (Fault(status=404, message="No such model"), "final", "(404): check LLM_MODEL. It said: No such model."),
        (Fault(status=422, message="Nonsense"), "final", "refused the request (422): Nonsense."),
        (Fault(status=408), "later", "did not answer in time."),
        (Fault(status=409, message="Conflict"), "later", "asks to try again (409): Conflict."),
        (Fault(status=429, message="Slow down"), "later", "wants fewer requests (429): Slow down."),
        (Fault(status=500, message="Oops {key}"), "later", "has trouble (500): Oops REDACTED."),
        (Fault(status=503, message="Away"), "later", "has trouble (503): Away."),
        (Fault(status=529, message="Overloaded"), "later", "Overloaded."),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Fault) else "",
)
@requirement("security.no-key-in-errors", "models.one-request")
async def test_a_failure_is_one_request_in_words_without_the_key(
    wire: Wire,
    fault: Fault,
    posture: str,
    words: str,
    provider: DurableModelProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither LiteLLM nor the OpenAI client inside it retries; Temporal is told whether it should (ours)."""
    async with wire.stub(fault) as stub:
        use(stub, monkeypatch)

        error = await failure_of(provider.get_model(wire.model))

    assert len(stub.requests) == 1
    assert error.type == {"final": "ModelRefusedError", "later": "ModelUnavailableError"}[posture]
    assert error.non_retryable is (posture == "final")
    assert error.message.startswith("The ")
    assert error.message.endswith(words.format(wire.key_variable))
    assert KEY not in await as_written_to_history(error)


@both_wires
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=401), "ModelRefusedError"),
        (Fault(status=429), "ModelUnavailableError"),
        (Fault(cut_after=4), "ModelUnavailableError"),
    ],
    ids=["401", "429", "cut"],
)
async def test_a_stream_fails_like_a_call(
    wire: Wire, fault: Fault, kind: str, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it was going well: half an answer is no answer (ours)."""
    async with wire.stub(fault) as stub:
        use(stub, monkeypatch)
        stream = provider.get_model(wire.model).stream_response(None, "Many words", *NOTHING_ELSE, **NO_MEMORY)

        with pytest.raises(ApplicationError) as caught:
            async for _ in stream:
                pass

    assert caught.value.type == kind
    assert len(stub.requests) == 1


@both_wires
async def test_the_conversation_that_does_not_fit_is_told_apart(
    wire: Wire, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 400 like any other to HTTP, but a user can do something about this one (spec)."""
    too_long = Fault(status=400, message="This model's maximum context length is 8192 tokens")
    async with wire.stub(too_long) as stub:
        use(stub, monkeypatch)

        error = await failure_of(provider.get_model(wire.model))

    assert error.message.startswith("The chat has become too long for ")
    assert error.non_retryable
    assert len(stub.requests) == 1


@both_wires
async def test_the_wait_that_the_provider_asks_for_is_kept_and_then_it_works(
    wire: Wire, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal waits `next_retry_delay` and calls again (spec)."""
    async with wire.stub(Fault(status=429, headers=(("retry-after", "7"),), times=1)) as stub:
        use(stub, monkeypatch)
        model = provider.get_model(wire.model)

        error = await failure_of(model)
        await ask(model, "Hello")

    assert error.next_retry_delay == timedelta(seconds=7)
    assert len(stub.requests) == 2


@both_wires
async def test_an_empty_answer_is_an_error_worth_a_retry(
    wire: Wire, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither text nor a tool call: the next sample may be better, and the user never gets a blank line (ours)."""
    async with wire.stub() as stub:
        use(stub, monkeypatch)

        error = await failure_of(provider.get_model(wire.model), "Say nothing")

    assert error.message.endswith(" answered with nothing.")
    assert not error.non_retryable


@both_wires
async def test_a_provider_that_is_not_there_is_worth_a_retry(
    wire: Wire, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens at its address any more (ours)."""
    async with wire.stub() as stub:
        use(stub, monkeypatch)

    error = await failure_of(provider.get_model(wire.model))

    assert error.message == "The connection to the provider failed: check the network and its base URL."
    assert not error.non_retryable


@both_wires
async def test_a_provider_that_never_answers_is_given_up(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline is ours, whatever the provider does with the connection (ours)."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(ProviderStub(protocol="openai", port=silent.getsockname()[1]), monkeypatch)
        use(ProviderStub(protocol="anthropic", port=silent.getsockname()[1]), monkeypatch)
        provider = DurableModelProvider(timeout=timedelta(seconds=0.2))

        error = await failure_of(provider.get_model(wire.model))
        await provider.aclose()

    assert error.message == "The provider did not answer in time."
    assert not error.non_retryable


@pytest.mark.parametrize("variable", ["GOOGLE_API_KEY", "GEMINI_API_KEY"])
@requirement("models.names")
async def test_gemini_takes_its_key_from_either_variable(
    variable: str, provider: DurableModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seed has one, Google's own tools the other (seed)."""
    async with openai_stub() as stub:
        monkeypatch.setenv(variable, KEY)
        monkeypatch.setenv("GEMINI_API_BASE", stub.url)

        error = await failure_of(provider.get_model("gemini/gemini-pro"))

    assert error.type == "ModelRefusedError"
    assert [request.key for request in stub.requests] == [KEY]


@pytest.mark.parametrize(
    ("name", "words"), [("no-such-model", "does not say whose"), ("mistral/small", "MISTRAL_API_KEY")]
)
async def test_a_worker_that_cannot_use_the_model_says_so_at_once(
    name: str, words: str, provider: DurableModelProvider
) -> None:
    """A chat may have been started elsewhere, with a key that this worker lacks: final, no retries (ours)."""
    with pytest.raises(ApplicationError, match=words) as caught:
        provider.get_model(name)

    assert caught.value.type == "ModelSetupError"
    assert caught.value.non_retryable


@pytest.mark.parametrize("name", [None, "offline"])
@requirement("models.offline")
async def test_no_name_is_the_offline_model(name: str | None, provider: DurableModelProvider) -> None:
    """The provider serves both kinds of chat (ours)."""
    assert isinstance(provider.get_model(name), OfflineModel)


async def run_python(*arguments: str, environ: dict[str, str]) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        stdout, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, stderr.decode()
    return stdout.decode(), stderr.decode()


def clean_environment(stub: ProviderStub) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    return kept | stub.environment(KEY)


PROGRAM = str(Path(__file__).with_name("talk_to_provider.py"))


@both_wires
async def test_nobody_but_the_configured_provider_is_called(wire: Wire) -> None:
    """Seen by an audit hook in a process of its own: no trace export, no price map, and none of its noise (spec)."""
    async with wire.stub() as stub:
        stdout, stderr = await run_python(PROGRAM, wire.model, environ=clean_environment(stub))

    assert json.loads(stdout) == {
        "reply": "The tool said: 15 * 23 is 345",
        "addresses": [f"127.0.0.1:{stub.port}"],
    }
    assert stderr == ""
    assert len(stub.requests) == 2


async def test_without_the_quiet_environment_others_would_be_called() -> None:
    """The test above can fail: with the libraries' own defaults the hook sees who else they call (ours)."""
    loud = {
        "OPENAI_AGENTS_DISABLE_TRACING": "0",
        "LITELLM_LOCAL_MODEL_COST_MAP": "False",
        "LITELLM_OFFLINE_MODE": "false",
    }
    async with openai_stub() as stub:
        stdout, _ = await run_python(PROGRAM, "gpt-4", environ=clean_environment(stub) | loud)

    assert {"api.openai.com:443", "raw.githubusercontent.com:443"} <= set(json.loads(stdout)["addresses"])


async def test_naming_a_model_imports_nothing_heavy() -> None:
    """The chat client resolves the model before it opens, and it has to open fast (spec)."""
    program = (
        "import sys, durable_loop.models.naming, durable_loop.models.quiet; "
        "print([name for name in ('agents', 'litellm', 'openai') if name in sys.modules])"
    )

    stdout, _ = await run_python("-c", program, environ=dict(os.environ))

    assert stdout == "[]\n"
