"""A model that says a word when it is told to: what happens in the middle of a reply waits for nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agents import Model, ModelProvider, ModelResponse
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseTextDeltaEvent

from durable_loop.testing import FakeModel, Script, streams
from durable_loop.testing.fake_model import provider_from_environment

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


# In a worker process: the FIFO that has to be opened for writing before a reply goes on behind WAITS_AFTER.
GATE_VARIABLE = "DURABLE_LOOP_TEST_GATE"
WAITS_AFTER = "One.\n\n"
NEVER = "For ever.\n\n"


class GatedProvider(ModelProvider):
    """Reads its script from the environment; waits in the middle of a reply, at the gate or for ever."""

    def __init__(self) -> None:
        self._inner = provider_from_environment()

    def get_model(self, model_name: str | None) -> Model:
        """Return the script's model with the waits."""
        return _GatedModel(self._inner.get_model(model_name))


class _GatedModel(Model):
    def __init__(self, model: Model) -> None:
        self._model = model

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return await self._model.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        async for event in self._model.stream_response(*args, **kwargs):
            yield event
            if not isinstance(event, ResponseTextDeltaEvent):
                continue
            if event.delta == NEVER:
                await asyncio.Event().wait()
            if event.delta == WAITS_AFTER:
                await asyncio.to_thread(_pass_the_gate, os.environ[GATE_VARIABLE])


def _pass_the_gate(fifo: str) -> None:
    with Path(fifo).open("rb"):  # until somebody opens it for writing
        pass
