"""What a provider's failure means: one readable sentence, and whether the same call may work later.

The rule: nothing that leaves here holds a key. A provider's own words are kept, because they
are often the best explanation, but scrubbed of every secret in the environment and of
everything that looks like one, and cut short.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, cast

from agents import AgentsException, ModelBehaviorError
from openai import APITimeoutError, OpenAIError

from durable_loop.errors import ModelError, ModelRefusedError, ModelUnavailableError
from durable_loop.models.naming import ModelChoice, find_key

__all__ = ["MAX_RETRY_AFTER", "describe_failure", "scrub"]

# A provider may ask for an hour; the user is waiting, and Temporal's own backoff goes on anyway.
MAX_RETRY_AFTER: Final = timedelta(seconds=60)
MAX_WORDS: Final = 300

_RETRYABLE: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})

# Google answers a bad key with 400.
_BAD_KEY: Final = re.compile(r"api key not valid|api_key_invalid", re.IGNORECASE)
# LiteLLM turns a failed connection into its InternalServerError, status 500.
_UNREACHABLE: Final = re.compile(
    r"connection error|connection attempts failed|connection refused|cannot connect"
    r"|closed connection|name or service not known|name resolution|nodename nor servname|getaddrinfo",
    re.IGNORECASE,
)
# An account without credit: OpenAI says 429, and waiting does not help.
_NO_QUOTA: Final = "insufficient_quota"

# LiteLLM's wrapping: "litellm.NotFoundError: NotFoundError: OpenAIException - <the provider's words>".
_WRAPPING: Final = re.compile(r"^\s*((litellm\.)?\w*(Error|Timeout)\s*:|Timeout Error:|\w+(Exception|Error) - )\s*")
_TRAILER: Final = re.compile(
    r"(\. Handle with `litellm\.|\s*Original exception:|\s*Traceback \(most recent call last\)).*$", re.DOTALL
)

_SECRET_NAME: Final = re.compile(r"(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)(_|$)", re.IGNORECASE)
_SHORTEST_SECRET: Final = 6
_SECRETS: Final = (
    re.compile(r"\b(sk|pk|rk|gsk|xai|hf|r8|nvapi|pplx|csk|fw)[-_][A-Za-z0-9_*.\-]{4,}"),
    re.compile(r"\bAIza[A-Za-z0-9_\-*]{4,}"),
    re.compile(r"(?<=Bearer )\S+", re.IGNORECASE),
    re.compile(r"(?<=[?&]key=)[^&\s]+", re.IGNORECASE),
    re.compile(r"(?<=://)[^/@\s]+(?=@)"),
    re.compile(r"\b[A-Za-z0-9_]{32,}\b"),
)
_HIDDEN: Final = "REDACTED"  # LiteLLM's word, which hides some keys before we do


def describe_failure(
    error: OpenAIError | AgentsException | TimeoutError, *, choice: ModelChoice, environ: Mapping[str, str]
) -> ModelError:
    """Say what happened in a `ModelError`; the caller raises it `from None`, or the original's text travels along."""
    if isinstance(error, AgentsException):
        words = _readable(str(error), environ)
        if isinstance(error, ModelBehaviorError):
            return ModelUnavailableError(f"{choice.name} sent something that cannot be used: {words}")
        return ModelRefusedError(f"{choice.name} cannot be asked this: {words}")
    if isinstance(error, TimeoutError | APITimeoutError):
        return ModelUnavailableError("The provider did not answer in time.", _retry_after(error))
    status = _status(error)
    words = _readable(_own_words(error), environ)
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _trouble(status, words, _retry_after(error))
    if status in _RETRYABLE and _NO_QUOTA not in _codes(error):
        reason = "wants fewer requests" if status == HTTPStatus.TOO_MANY_REQUESTS else "asks to try again"
        return ModelUnavailableError(f"The provider {reason} ({status}): {words}", _retry_after(error))
    return ModelRefusedError(_refusal(status, words, error, choice=choice, environ=environ))


def scrub(text: str, environ: Mapping[str, str]) -> str:
    """Hide every secret of the environment that `text` holds, and everything that looks like one."""
    for secret in sorted(_secrets(environ), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    for pattern in _SECRETS:
        text = pattern.sub(_HIDDEN, text)
    return text


def _secrets(environ: Mapping[str, str]) -> set[str]:
    # In parts: a key with a line break in it may come back with only one of its lines.
    parts = (part for name, value in environ.items() if _SECRET_NAME.search(name) for part in value.split())
    return {part for part in parts if len(part) >= _SHORTEST_SECRET}


def _trouble(status: int | None, words: str, retry_after: timedelta | None) -> ModelUnavailableError:
    if _UNREACHABLE.search(words):
        return ModelUnavailableError(
            "The connection to the provider failed: check the network and its base URL.", retry_after
        )
    code = f" ({status})" if status is not None else ""
    return ModelUnavailableError(f"The provider has trouble{code}: {words}", retry_after)


def _refusal(status: int, words: str, error: OpenAIError, *, choice: ModelChoice, environ: Mapping[str, str]) -> str:
    key = find_key(choice, environ) or " or ".join(choice.key_variables[:2]) or "its credentials"
    if status == HTTPStatus.UNAUTHORIZED or _BAD_KEY.search(words):
        return f"The provider refused the key ({status}): check {key}."
    if status == HTTPStatus.FORBIDDEN:
        return f"The provider refused access to {choice.name} ({status}): check what {key} may use. It said: {words}"
    if status == HTTPStatus.NOT_FOUND:
        return f"The provider does not have {choice.name} ({status}): check LLM_MODEL. It said: {words}"
    if status == HTTPStatus.PAYMENT_REQUIRED or _NO_QUOTA in _codes(error):
        return f"The account of {key} has no credit left ({status}): {words}"
    if type(error).__name__ == "ContextWindowExceededError":  # LiteLLM's; by name, since importing it takes seconds
        return f"The chat has become too long for {choice.name} ({status}): {words}"
    return f"The provider refused the request ({status}): {words}"


def _status(error: OpenAIError) -> int | None:
    status: object = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _codes(error: OpenAIError) -> str:
    """Where a provider's error code may stand: the parsed body, or JSON in the text."""
    return f"{getattr(error, 'body', None)} {error}"


def _own_words(error: OpenAIError) -> str:
    message = _message_in(getattr(error, "body", None))
    if message is not None:
        return message
    text = _TRAILER.sub("", str(error))
    while match := _WRAPPING.match(text):
        text = text[match.end() :]
    start = text.find("{")
    if start >= 0:
        try:
            parsed: object
            parsed, _ = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            return text
        return _message_in(parsed) or text
    return text


def _message_in(parsed: object) -> str | None:
    if not isinstance(parsed, dict):
        return None
    body = cast("dict[str, object]", parsed)  # keys of a JSON object are strings
    message = body.get("message")
    return message if isinstance(message, str) else _message_in(body.get("error"))


def _readable(text: str, environ: Mapping[str, str]) -> str:
    words = " ".join(scrub(text, environ).split()) or "it gave no reason"
    if len(words) > MAX_WORDS:
        return f"{words[:MAX_WORDS]} …"
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _retry_after(error: BaseException) -> timedelta | None:
    for headers in _header_sets(error):
        seconds = _seconds(headers)
        if seconds is not None and math.isfinite(seconds):
            return min(
                max(timedelta(), timedelta(seconds=min(seconds, MAX_RETRY_AFTER.total_seconds()))), MAX_RETRY_AFTER
            )
    return None


def _header_sets(error: BaseException) -> Iterable[Mapping[str, str]]:
    # OpenAI's are on the response; what came through LiteLLM's own HTTP client is only on the exception.
    response: object = getattr(error, "response", None)
    for headers in (getattr(response, "headers", None), getattr(error, "litellm_response_headers", None)):
        if isinstance(headers, Mapping):
            given = cast("Mapping[object, object]", headers)
            yield {str(name).lower(): str(value) for name, value in given.items()}


def _seconds(headers: Mapping[str, str]) -> float | None:
    try:
        if "retry-after-ms" in headers:
            return float(headers["retry-after-ms"]) / 1000
        if "retry-after" in headers:
            return float(headers["retry-after"])
    except ValueError:
        return _seconds_until(headers.get("retry-after", ""))
    return None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (moment - datetime.now(UTC)).total_seconds() if moment.tzinfo else None
