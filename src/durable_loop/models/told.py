"""A model call that answers in one piece and, on the way, tells what it has so far.

The text so far rides on the heartbeat of the activity, which a slow call needs anyway: whoever looks at the chat sees
it, and no history holds it. The heartbeat of another attempt stays until this one beats, so it says whose it is.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final

from agents import Model, ModelProvider, ModelResponse, Usage
from agents.items import TResponseStreamEvent
from openai.types.responses import Response, ResponseCompletedEvent, ResponseTextDeltaEvent
from temporalio import activity

from durable_loop.boundary import as_application_error
from durable_loop.chat.compaction import SUMMARY_INSTRUCTIONS
from durable_loop.chat.messages import PartialText
from durable_loop.errors import ModelUnavailableError

__all__ = ["TELL_INTERVAL", "TellingProvider"]

# A token is on its way to the server this long after the model gave it; the worker's throttle adds as much.
TELL_INTERVAL: Final = timedelta(seconds=0.1)
# The Agents plugin beats without a text and so wipes it: it is told again.
REPEAT_INTERVAL: Final = timedelta(seconds=1)
# Of a long text only the end rides along: the server writes it with each heartbeat.
TOLD_CHARS: Final = 8_000


class TellingProvider(ModelProvider):
    """Wraps a provider so that the calls of its models tell what they have so far."""

    def __init__(self, inner: ModelProvider) -> None:
        self._inner = inner

    def get_model(self, model_name: str | None) -> Model:
        """Return the inner provider's model, wrapped."""
        return _TellingModel(self._inner.get_model(model_name))


class _TellingModel(Model):
    def __init__(self, inner: Model) -> None:
        self._inner = inner

    async def get_response(self, system_instructions: str | None, *args: Any, **kwargs: Any) -> ModelResponse:
        if system_instructions == SUMMARY_INSTRUCTIONS or not activity.in_activity():
            return await self._inner.get_response(system_instructions, *args, **kwargs)  # nobody reads along
        try:
            whole = await self._streamed(system_instructions, *args, **kwargs)
        except NotImplementedError:  # a provider's model that knows no streams
            return await self._inner.get_response(system_instructions, *args, **kwargs)
        if whole is None:
            raise as_application_error(ModelUnavailableError("The model's answer broke off."))
        return ModelResponse(output=whole.output, usage=_usage(whole), response_id=None)

    async def _streamed(self, *args: Any, **kwargs: Any) -> Response | None:
        """Tell the text as it comes; return the whole, or None where it never did."""
        whole: Response | None = None
        async with _told() as text:
            async for event in self._inner.stream_response(*args, **kwargs):
                if isinstance(event, ResponseTextDeltaEvent):
                    text.add(event.delta)
                elif isinstance(event, ResponseCompletedEvent):
                    whole = event.response
        return whole

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        async for event in self._inner.stream_response(*args, **kwargs):
            yield event


class _Text:
    """What a model said so far, and how much of it was told."""

    def __init__(self) -> None:
        self._said = ""
        self._is_news = asyncio.Event()

    def add(self, piece: str) -> None:
        self._said += piece
        self._is_news.set()

    async def tell(self) -> None:
        """Tell what is new, and the same again before it is forgotten, until cancelled."""
        while True:
            with suppress(TimeoutError):
                # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes with the news.
                async with asyncio.timeout(REPEAT_INTERVAL.total_seconds() if self._said else None):
                    await self._is_news.wait()
            self._is_news.clear()
            start = max(0, len(self._said) - TOLD_CHARS)
            activity.heartbeat(PartialText(attempt=activity.info().attempt, start=start, text=self._said[start:]))
            await asyncio.sleep(TELL_INTERVAL.total_seconds())


@asynccontextmanager
async def _told() -> AsyncGenerator[_Text]:
    text = _Text()
    telling = asyncio.create_task(text.tell())
    try:
        yield text
    finally:
        telling.cancel()
        await asyncio.wait({telling})


def _usage(response: Response) -> Usage:
    """Return what the provider counted; one that counts nothing leaves nothing behind."""
    used = response.usage
    if used is None or not used.total_tokens:
        return Usage()
    return Usage(
        requests=1,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        total_tokens=used.total_tokens,
        input_tokens_details=used.input_tokens_details,
        output_tokens_details=used.output_tokens_details,
    )
