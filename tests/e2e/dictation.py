"""A model that says a word when it is told to: what happens in the middle of a reply waits for nothing else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from agents import Model, ModelProvider, ModelResponse
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseTextDeltaEvent

from durable_loop.testing import FakeModel, Script, streams

# As many as any test has.
TURNS = 4
WORDS = ["One", " two", " three."]


class Dictates(Model, ModelProvider):
    """Says the words in each turn, the next one only when it is told to go on; its first attempts break off."""

    def __init__(self, *words: str, breaks_off: int = 0) -> None:
        self._words_to_come: asyncio.Queue[None] = asyncio.Queue()
        self._breaks_off = breaks_off
        self._model = FakeModel(Script(*[streams(*(words or WORDS))] * TURNS))

    def go_on(self) -> None:
        """Let one more word come."""
        self._words_to_come.put_nowait(None)

    def go_on_to_the_end(self) -> None:
        """Wait after no word any more."""
        for _ in range(100):
            self.go_on()

    def get_model(self, model_name: str | None) -> Model:
        """Return the model, whatever its name."""
        del model_name
        return self

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Return the whole: nobody reads along."""
        return await self._model.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Yield the events, and wait after each word."""
        async for event in self._model.stream_response(*args, **kwargs):
            yield event
            if isinstance(event, ResponseTextDeltaEvent):
                await self._words_to_come.get()
                if self._breaks_off:
                    self._breaks_off -= 1
                    raise ConnectionError("the provider is gone")
