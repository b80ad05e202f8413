"""The crash point in the middle of a model call: any provider's models, and the real workers' own."""

from collections.abc import AsyncIterator
from typing import Any, Final

from agents import Model, ModelProvider, ModelResponse
from agents.items import TResponseStreamEvent

from durable_loop.bootstrap import orchestrator
from durable_loop.settings import load_settings
from durable_loop.testing.crash import CrashPoint, pass_by

__all__ = ["PROVIDER", "CrashPointProvider", "own_provider"]

# For DURABLE_LOOP_MODEL_PROVIDER and `Settings(model_provider=…)`: the models that the worker would have anyway, with
# the crash point.
PROVIDER: Final = "durable_loop.testing.model_calls:own_provider"


class CrashPointProvider(ModelProvider):
    """Gives the models of another provider; each call of them comes by IN_MODEL_CALL."""

    def __init__(self, provider: ModelProvider) -> None:
        self._provider = provider

    def get_model(self, model_name: str | None) -> Model:
        """Return the other provider's model, with the crash point in its calls."""
        return _CrashPointModel(self._provider.get_model(model_name))


def own_provider() -> CrashPointProvider:
    """Make the provider in a worker process."""
    return CrashPointProvider(orchestrator.own_provider(load_settings()))


class _CrashPointModel(Model):
    def __init__(self, model: Model) -> None:
        self._model = model

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        await pass_by(CrashPoint.IN_MODEL_CALL)
        return await self._model.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        await pass_by(CrashPoint.IN_MODEL_CALL)
        async for event in self._model.stream_response(*args, **kwargs):
            yield event
