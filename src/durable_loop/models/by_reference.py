"""The worker's half of model input by reference: fetch what the history only names, then call the model.

Whatever model it is, its tool calls get ids that can be told apart (where it answers in one piece, as in a chat).
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

from agents import Model, ModelProvider, ModelResponse, TResponseInputItem
from agents.items import TResponseStreamEvent
from temporalio import activity
from temporalio.exceptions import ApplicationError

from durable_loop import names
from durable_loop.chat.messages import Item, ModelInputPage
from durable_loop.chat.model_input import ModelInputReference, items_from_json
from durable_loop.models.call_ids import with_unique_call_ids

__all__ = ["ByReferenceProvider"]

QUERY_TIMEOUT = timedelta(seconds=10)


class ByReferenceProvider(ModelProvider):
    """Wraps a provider so that its models see the input itself."""

    def __init__(self, inner: ModelProvider) -> None:
        self._inner = inner

    def get_model(self, model_name: str | None) -> Model:
        """Return the inner provider's model, wrapped."""
        return _ByReferenceModel(self._inner.get_model(model_name))


class _ByReferenceModel(Model):
    def __init__(self, inner: Model) -> None:
        self._inner = inner

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        said = await _fetch(input)
        response = await self._inner.get_response(system_instructions, said, *args, **kwargs)
        return with_unique_call_ids(response, cast("list[Item]", [] if isinstance(said, str) else said))

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        async for event in self._inner.stream_response(system_instructions, await _fetch(input), *args, **kwargs):
            yield event


async def _fetch(items: str | list[TResponseInputItem]) -> str | list[TResponseInputItem]:
    if isinstance(items, str):
        return items
    reference = ModelInputReference.find(cast("list[Item]", items))
    if reference is None:
        return items
    info = activity.info()
    chat = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    text = ""
    for page in range(reference.pages):
        asked = ModelInputPage(call=reference.call, page=page)
        part: str | None = await chat.query(names.QUERY_MODEL_INPUT, asked, result_type=str, rpc_timeout=QUERY_TIMEOUT)
        text += part or ""
    if not reference.matches(text):
        raise ApplicationError(
            f"Model call {reference.call} is over, or its input was changed by a deployment.",
            type="ModelInputGone",
            non_retryable=True,
        )
    return cast("list[TResponseInputItem]", items_from_json(text))
