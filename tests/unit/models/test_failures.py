"""A provider's failure in words. The shapes are those that LiteLLM 1.109.1 raised for our stubs."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from agents import ModelBehaviorError, UserError
from openai import OpenAIError
from temporalio.exceptions import ApplicationError

from durable_loop.boundary import as_application_error
from durable_loop.errors import ModelError, ModelRefusedError, ModelUnavailableError
from durable_loop.models.failures import MAX_RETRY_AFTER, describe_failure, scrub
from durable_loop.models.naming import resolve_model
from tests.requirements import requirement

KEY = "sk-proj-abcdefghijklmnopqrstuv"
ENVIRON = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "HOME": "/home/me"}


class ProviderFailedError(OpenAIError):
    """An exception with the attributes that LiteLLM's have."""

    def __init__(self, text: str, *, status: int | None = None, body: object = None, **headers: str) -> None:
        super().__init__(text)
        self.status_code = status
        self.body = body
        self.litellm_response_headers = {name.replace("_", "-"): value for name, value in headers.items()}


class ContextWindowExceededError(ProviderFailedError):
    """LiteLLM's name for it."""


def describe(error: Any, model: str = "gpt-4") -> ModelError:
    return describe_failure(error, choice=resolve_model(model), environ=ENVIRON)


@pytest.mark.parametrize(
    ("text", "status", "model", "sentence"),
    [
        (
            f"litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided: {KEY}.",
            401,
            "gpt-4",
            "The provider refused the key (401): check OPENAI_API_KEY.",
        ),
        (
            'litellm.AuthenticationError: AnthropicException - {"type":"error","error":{"message":"bad x-api-key"}}',
            401,
            "claude-3-haiku-20240307",
            "The provider refused the key (401): check ANTHROPIC_API_KEY.",
        ),
        (
            'litellm.BadRequestError: GeminiException - {"error": {"code": 400, "message": "API key not valid."}}',
            400,
            "gemini/gemini-pro",
            "The provider refused the key (400): check GEMINI_API_KEY or GOOGLE_API_KEY.",
        ),
        (
            "litellm.APIError: APIError: OpenAIException - Not yours",
            403,
            "gpt-4",
            "The provider refused access to openai/gpt-4 (403): check what OPENAI_API_KEY may use. It said: Not yours.",
        ),
        (
            'litellm.NotFoundError: AnthropicException - {"type":"error","error":{"message":"model: claude-9"}}',
            404,
            "claude-9",
            "The provider does not have anthropic/claude-9 (404): check LLM_MODEL. It said: model: claude-9.",
        ),
        (
            "litellm.APIError: APIError: OpenAIException - pay first",
            402,
            "gpt-4",
            "The account of OPENAI_API_KEY has no credit left (402): pay first.",
        ),
        (
            "litellm.BadRequestError: OpenAIException - Invalid 'temperature'",
            422,
            "gpt-4",
            "The provider refused the request (422): Invalid 'temperature'.",
        ),
        (
            "litellm.APIError: APIError: OpenAIException - ",
            413,
            "gpt-4",
            "The provider refused the request (413): it gave no reason.",
        ),
    ],
)
def test_a_refusal_is_final_and_says_what_to_check(text: str, status: int, model: str, sentence: str) -> None:
    """The provider's own words stay, without LiteLLM's wrapping and without the key (spec)."""
    error = describe(ProviderFailedError(text, status=status), model)

    assert isinstance(error, ModelRefusedError)
    assert str(error) == sentence


def test_a_chat_that_is_too_long_for_the_model_is_told_so() -> None:
    """Final: the next try would be as long (spec)."""
    text = (
        "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - "
        "This model's maximum context length is 8192 tokens"
    )

    error = describe(ContextWindowExceededError(text, status=400))

    assert isinstance(error, ModelRefusedError)
    assert str(error) == (
        "The chat has become too long for openai/gpt-4 (400): This model's maximum context length is 8192 tokens."
    )


def test_an_account_without_credit_is_final_though_its_status_says_wait() -> None:
    """OpenAI answers 429 with this code; no wait helps (ours)."""
    error = describe(
        ProviderFailedError(
            "litellm.RateLimitError: RateLimitError: OpenAIException - You exceeded your current quota",
            status=429,
            body={"type": "insufficient_quota", "code": "insufficient_quota"},
        )
    )

    assert isinstance(error, ModelRefusedError)
    assert str(error) == "The account of OPENAI_API_KEY has no credit left (429): You exceeded your current quota."


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        (
            "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached",
            429,
            "The provider wants fewer requests (429): Rate limit reached.",
        ),
        (
            "litellm.APIError: APIError: OpenAIException - Conflict",
            409,
            "The provider asks to try again (409): Conflict.",
        ),
        (
            "litellm.Timeout: Timeout Error: OpenAIException - Slow",
            408,
            "The provider asks to try again (408): Slow.",
        ),
        (
            'litellm.InternalServerError: AnthropicException - {"error":{"message":"Busy"}}. Handle with `litellm.X`.',
            500,
            "The provider has trouble (500): Busy.",
        ),
        (
            "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error.",
            500,
            "The connection to the provider failed: check the network and its base URL.",
        ),
        (
            "litellm.APIConnectionError: bad thing\nTraceback (most recent call last):\n  File …",
            500,
            "The provider has trouble (500): bad thing.",
        ),
        ("something new", None, "The provider has trouble: something new."),
    ],
)
def test_what_may_pass_is_retryable(text: str, status: int | None, sentence: str) -> None:
    """Busy, broken and unreachable are nobody's fault: Temporal tries again (spec)."""
    error = describe(ProviderFailedError(text, status=status))

    assert isinstance(error, ModelUnavailableError)
    assert str(error) == sentence


def test_a_provider_that_does_not_answer_is_retryable() -> None:
    """Our own deadline, in words (ours)."""
    error = describe(TimeoutError())

    assert isinstance(error, ModelUnavailableError)
    assert str(error) == "The provider did not answer in time."


def test_the_agents_sdk_own_errors_are_described_too() -> None:
    """A reply that cannot be read is a bad sample; a request that cannot be written stays so (ours)."""
    unreadable = describe(ModelBehaviorError("Unsupported role: tool"))
    unwritable = describe(UserError("Unhandled item type"))

    assert isinstance(unreadable, ModelUnavailableError)
    assert isinstance(unwritable, ModelRefusedError)
    assert str(unwritable) == "openai/gpt-4 cannot be asked this: Unhandled item type."


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, timedelta(seconds=7)),
        ({"retry_after_ms": "250", "retry_after": "7"}, timedelta(milliseconds=250)),
        ({"retry_after": "3600"}, MAX_RETRY_AFTER),
        ({"retry_after": "-5"}, timedelta()),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": format_datetime(datetime(2000, 1, 1, tzinfo=UTC), usegmt=True)}, timedelta()),
        ({"retry_after": format_datetime(datetime(2999, 1, 1, tzinfo=UTC), usegmt=True)}, MAX_RETRY_AFTER),
        ({}, None),
    ],
)
def test_the_wait_that_a_provider_asks_for_becomes_the_next_retry(
    headers: dict[str, str], wait: timedelta | None
) -> None:
    """Bounded: a user is waiting (spec)."""
    error = describe(ProviderFailedError("Rate limit reached", status=429, **headers))

    assert isinstance(error, ModelUnavailableError)
    assert error.retry_after == wait


def test_the_wait_is_read_from_the_response_too() -> None:
    """OpenAI's headers are on the response (ours)."""
    failed = ProviderFailedError("Rate limit reached", status=429)
    failed.__dict__["response"] = SimpleNamespace(headers={"Retry-After": "3"})

    error = describe(failed)

    assert isinstance(error, ModelUnavailableError)
    assert error.retry_after == timedelta(seconds=3)


@requirement("temporal.retry-policy")
def test_the_errors_cross_the_boundary_with_their_posture() -> None:
    """Name, words, retry or not, and when: all that Temporal needs (ours)."""
    final = as_application_error(ModelRefusedError("No."))
    later = as_application_error(ModelUnavailableError("Later.", timedelta(seconds=9)))

    assert _posture(final) == ("ModelRefusedError", "No.", True, None)
    assert _posture(later) == ("ModelUnavailableError", "Later.", False, timedelta(seconds=9))


def _posture(error: ApplicationError) -> tuple[str | None, str, bool, timedelta | None]:
    return error.type, error.message, error.non_retryable, error.next_retry_delay


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: {KEY}.",
        "Incorrect API key provided: sk-proj-********************stuv.",
        "Illegal header value b'Bearer top-secret-value\\n'",
        "the 1st half: first-line",
        "https://example.invalid/v1?key=AIzaSyNotARealKey0123456789&alt=sse",
        "key AIzaSyNotARealKey0123456789",
        "gsk_NotARealKey0123456789",
        "http://me:my-password@proxy.invalid:8080",
        "0123456789abcdef0123456789abcdef",
    ],
)
@requirement("security.no-secret-shown")
def test_nothing_that_looks_like_a_key_is_left(text: str) -> None:
    """The environment's secrets by value, others by their looks (ours)."""
    environ = ENVIRON | {"CUSTOM_TOKEN": "first-line\nsecond-line"}
    secrets = (KEY, "stuv", "top-secret", "first-line", "AIzaSy", "gsk_Not", "my-password", "0123456789abcdef")

    scrubbed = scrub(text, environ)

    assert "REDACTED" in scrubbed
    assert not [secret for secret in secrets if secret in scrubbed]


@pytest.mark.parametrize(
    "text",
    [
        "model: claude-3-5-sonnet-20241022",
        "request req_011CSHoEeqs5C35K2UUqR7Fy",
        "accounts/fireworks/models/llama-v3p1-405b-instruct",
        "bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0 in /home/me",
    ],
)
def test_what_helps_is_left_as_it_is(text: str) -> None:
    """Model names and request ids are what a user needs (ours)."""
    assert scrub(text, ENVIRON) == text


def test_long_words_are_cut() -> None:
    """They end up in the history and on the user's screen (ours)."""
    error = describe(ProviderFailedError("x y " * 1000, status=400))

    assert len(str(error)) < 400
    assert str(error).endswith(" …")
