"""What the test models have in common: each is its own provider, and answers a list of items with a list of items."""

from abc import abstractmethod
from typing import Any

from agents import Model, ModelProvider, ModelResponse, TResponseInputItem, Usage

__all__ = ["AnsweringModel"]


class AnsweringModel(Model, ModelProvider):
    """One model under every name; a subclass says what it answers."""

    # What each call takes.
    tokens = 0

    @abstractmethod
    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:
        """Return the output items for a model call."""

    def get_model(self, model_name: str | None) -> Model:  # noqa: ARG002 - the SDK's signature
        """Return the one model there is."""
        return self

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        *_args: Any,
        **_kwargs: Any,
    ) -> ModelResponse:
        """Answer."""
        output = await self.answer(system_instructions or "", list(input))
        return ModelResponse(output=output, usage=Usage(total_tokens=self.tokens), response_id=None)

    def stream_response(self, *_args: Any, **_kwargs: Any) -> Any:
        """Not used here."""
        raise NotImplementedError
