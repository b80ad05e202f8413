"""The model input that a history of our own chats only names by its hash: what it is now, and what it was then."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from temporalio import workflow

from durable_loop import names
from durable_loop.chat.messages import Item, ModelInputPage
from durable_loop.chat.model_input import ModelInputReference

__all__ = ["named_model_input"]


def named_model_input(values: Sequence[Any]) -> str | None:
    """Return, within a workflow, the input that the values of a model call name; None where it stands there itself.

    The chat's own query still has the text: a reference goes by just before its call.
    """
    named = ModelInputReference.find(cast("list[Item]", values[0]["input"])) if values else None
    handler = cast(
        "Callable[[ModelInputPage], str | None] | None",
        workflow.get_query_handler(names.QUERY_MODEL_INPUT),  # pyright: ignore[reportUnknownMemberType]
    )
    if named is None or handler is None:
        return None
    return "".join(handler(ModelInputPage(call=named.call, page=page)) or "" for page in range(named.pages))
