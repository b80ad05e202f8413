"""Model input by reference: what the history holds, and what the worker fetches."""

import pytest

from durable_loop.chat.messages import ModelInputPage
from durable_loop.chat.model_input import (
    PAGE_CHARS,
    ModelInputReference,
    ModelInputShelf,
    items_from_json,
    items_to_json,
)

ITEMS = [{"role": "user", "content": "Grüße 👋"}, {"type": "function_call", "name": "x", "arguments": "{}"}]


def fetched(shelf: ModelInputShelf, reference: ModelInputReference) -> str:
    """Fetch every page, as the worker does."""
    pages = [shelf.page(ModelInputPage(call=reference.call, page=page)) for page in range(reference.pages)]
    return "".join(page or "" for page in pages)


@pytest.mark.parametrize("items", [ITEMS, [], [{"role": "user", "content": "ä" * (2 * PAGE_CHARS)}]])
def test_what_is_fetched_is_what_was_kept(items: list[dict[str, str]]) -> None:
    """In pages that fit a query's answer. (ours)"""
    shelf = ModelInputShelf()
    reference = shelf.keep(items)
    text = fetched(shelf, reference)

    assert reference.matches(text)
    assert items_from_json(text) == items
    assert ModelInputReference.find(reference.as_items()) == reference


def test_the_input_of_an_earlier_call_is_not_given_for_a_later_one() -> None:
    """A worker that comes late gets nothing, and nothing does not match. (ours)"""
    shelf = ModelInputShelf()
    first = shelf.keep(ITEMS)
    second = shelf.keep(ITEMS[:1])

    assert (first.call, second.call) == (1, 2)
    assert shelf.page(ModelInputPage(call=1, page=0)) is None
    assert not first.matches(fetched(shelf, second))
    assert not first.matches("")


def test_ordinary_input_is_no_reference() -> None:
    """An agent that does not use references is left alone. (ours)"""
    assert ModelInputReference.find([{"role": "user", "content": "hello"}]) is None
    assert ModelInputReference.find([*ModelInputReference.to(1, "x").as_items(), ITEMS[0]]) is None
    assert ModelInputReference.find([{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]) is None


def test_the_same_items_give_the_same_text() -> None:
    """The hash is compared after a replay. (ours)"""
    assert items_to_json(ITEMS) == items_to_json(items_from_json(items_to_json(ITEMS)))
