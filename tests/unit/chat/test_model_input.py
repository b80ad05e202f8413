"""Model input by reference: what the history holds, and what the worker fetches."""

import json

import pytest

from durable_loop.chat.messages import Item, ModelInputPage
from durable_loop.chat.model_input import (
    PAGE_CHARS,
    ModelInputReference,
    ModelInputShelf,
    items_from_json,
    items_to_json,
)
from tests.requirements import requirement

ITEMS = [{"role": "user", "content": "Grüße 👋"}, {"type": "function_call", "name": "x", "arguments": "{}"}]


def fetched(shelf: ModelInputShelf, reference: ModelInputReference) -> str:
    """Fetch every page, as the worker does."""
    pages = [shelf.page(ModelInputPage(call=reference.call, page=page)) for page in range(reference.pages)]
    return "".join(page or "" for page in pages)


LONG = [{"role": "user", "content": "ä" * (2 * PAGE_CHARS)}]


@pytest.mark.parametrize("new", [ITEMS, [], LONG], ids=["items", "nothing", "a long item"])
@pytest.mark.parametrize("said", [ITEMS, [], LONG], ids=["after items", "after nothing", "after a long item"])
def test_what_is_fetched_is_what_was_kept(said: list[Item], new: list[Item]) -> None:
    """In pages that fit a query's answer. (ours)"""
    shelf = ModelInputShelf()
    reference = shelf.keep(said, new)
    text = fetched(shelf, reference)

    assert reference.matches(text)
    assert text == items_to_json([*said, *new])
    assert ModelInputReference.find(reference.as_items()) == reference


A, B, C, D = ({"role": "user", "content": name} for name in "abcd")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ([], [A]),
        ([A, B], [A, B]),
        ([A, B], [A, B, C]),
        ([A, B], [A]),
        ([A, B], []),
        ([A, B], [C, B]),
        ([A, B], [D]),
        ([A, B], [A, D, B, C]),
        ([A, B], [{**A}, {**B, "content": "other"}]),
    ],
    ids=[
        "the first is said",
        "nothing more is said",
        "more is said",
        "a turn failed",
        "a summary is asked for",
        "a summary is in the place of the first",
        "a summary is in the place of all",
        "in between",
        "all is new",
    ],
)
def test_an_input_does_not_depend_on_the_one_before(before: list[Item], said: list[Item]) -> None:
    """A replay may begin where the live chat went on: text and hash are those of the items. (ours)"""
    shelf = ModelInputShelf()
    shelf.keep(before, ITEMS)
    reference = shelf.keep(said, [D])

    assert fetched(shelf, reference) == items_to_json([*said, D])
    assert reference.matches(items_to_json([*said, D]))


@requirement("temporal.task-timeout")
def test_what_was_said_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes a long chat over has ten seconds for hundreds of model calls. (ours)"""
    written: list[object] = []

    def write(items: list[object]) -> str:
        written.extend(items)
        return items_to_json(items)

    monkeypatch.setattr("durable_loop.chat.model_input.items_to_json", write)
    shelf = ModelInputShelf()
    for said in ([A, B], [A, B], [A, B, C]):
        shelf.keep(said, [D])

    assert written == [A, B, D, D, C, D]


def test_the_input_of_an_earlier_call_is_not_given_for_a_later_one() -> None:
    """A worker that comes late gets nothing, and nothing does not match. (ours)"""
    shelf = ModelInputShelf()
    first = shelf.keep([], ITEMS)
    second = shelf.keep([], ITEMS[:1])

    assert (first.call, second.call) == (1, 2)
    assert shelf.page(ModelInputPage(call=1, page=0)) is None
    assert not first.matches(fetched(shelf, second))
    assert not first.matches("")


def test_ordinary_input_is_no_reference() -> None:
    """An agent that does not use references is left alone. (ours)"""
    assert ModelInputReference.find([{"role": "user", "content": "hello"}]) is None
    assert ModelInputReference.find([*ModelInputShelf().keep([], ITEMS).as_items(), ITEMS[0]]) is None
    assert ModelInputReference.find([{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]) is None


def test_the_same_items_give_the_same_text() -> None:
    """The hash is compared after a replay. (ours)"""
    assert items_to_json(ITEMS) == items_to_json(items_from_json(items_to_json(ITEMS)))


@requirement("temporal.payloads")
def test_a_page_fits_the_answer_to_a_query_in_any_script() -> None:
    """Temporal takes payloads of 2 MiB. (Temporal)"""
    shelf = ModelInputShelf()
    reference = shelf.keep([], [{"role": "user", "content": '👋"\\\n' * PAGE_CHARS}])

    assert reference.pages > 1
    for number in range(reference.pages):
        page = shelf.page(ModelInputPage(call=1, page=number))
        assert len(json.dumps(page, ensure_ascii=False).encode()) < 2 * 1024 * 1024


def test_a_page_past_the_end_is_empty() -> None:
    """What does not belong together does not match. (ours)"""
    shelf = ModelInputShelf()
    shelf.keep([], ITEMS)

    assert shelf.page(ModelInputPage(call=1, page=7)) == ""
    assert shelf.page(ModelInputPage(call=9, page=0)) is None


@pytest.mark.parametrize("rest", ["", "hello", "1/2", "1/2/3/4", "a/b/c", "-1/1/" + "0" * 64, "1/1/" + "g" * 64])
def test_what_only_begins_like_a_reference_is_ordinary_input(rest: str) -> None:
    """A user may type anything. (ours)"""
    typed = [{"role": "user", "content": f"durable-loop/model-input:{rest}"}]

    assert ModelInputReference.find(typed) is None


def test_one_changed_character_does_not_match() -> None:
    """A deployment between two tries must not change what the model was asked. (ours)"""
    reference = ModelInputShelf().keep([], ITEMS)

    assert not reference.matches(items_to_json(ITEMS).replace("Grüße", "Grusse"))
