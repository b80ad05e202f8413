"""The model input that a history of our own chats only names by its hash: what it is now, and what it was then."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

from temporalio import workflow

from durable_loop import names
from durable_loop.chat.messages import Item, ModelInputPage
from durable_loop.chat.model_input import ModelInputReference
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.payloads import recorded_values

__all__ = ["has_model_input", "named_in", "named_model_input"]


def named_in(history: RecordedHistory) -> frozenset[ModelInputReference]:
    """Return the references that a history holds."""
    texts = (
        values[0]["input"]
        for attributes in history.attributes("activityTaskScheduled")
        if attributes["activityType"]["name"] in names.ACTIVITIES_MODEL_CALL
        and has_model_input(values := recorded_values(attributes.get("input")))
    )
    return frozenset(named for text in texts if (named := ModelInputReference.find(text)) is not None)


def has_model_input(values: Sequence[Any]) -> bool:
    """Return whether values hold what a model is asked, as those of a model call do."""
    return bool(values) and isinstance(values[0], dict) and "input" in values[0]


def named_model_input(values: Sequence[Any], known: Collection[ModelInputReference]) -> str | None:
    """Return, within a workflow, the input that the values of a model call name, where it is not a known one.

    None also where the input stands there itself. The chat's own query still has the text: a reference goes by just
    before its call.
    """
    named = ModelInputReference.find(cast("list[Item]", values[0]["input"])) if values else None
    handler = cast(
        "Callable[[ModelInputPage], str | None] | None",
        workflow.get_query_handler(names.QUERY_MODEL_INPUT),  # pyright: ignore[reportUnknownMemberType]
    )
    if named is None or named in known or handler is None:
        return None
    return "".join(handler(ModelInputPage(call=named.call, page=page)) or "" for page in range(named.pages))
