"""The timeline as a page. What a browser makes of it is in `tests/browser`."""

from dataclasses import replace
from html.parser import HTMLParser

from durable_loop.cli.timeline.page import as_page
from durable_loop.cli.timeline.value import Kind, Outcome, Step, Timeline
from tests.requirements import requirement
from tests.unit.cli.timeline.samples import TOLD, evil


class Page(HTMLParser):
    """A page: its elements and their attributes in order, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.texts = list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


@requirement("cli.page")
def test_what_was_said_is_text_and_never_markup() -> None:
    """The elements of a hostile chat are those of any other one with texts as long. (ours)"""

    def long(step: Step) -> Step:
        return replace(step, name="long", asked="a" * 400, gave="a" * 400)

    parts = tuple(
        long(part)
        if isinstance(part, Step)
        else replace(part, answer="a", notes=("a",), steps=tuple(map(long, part.steps)))
        for part in TOLD.parts
    )
    page = as_page(evil())

    assert Page(page).elements == Page(as_page(replace(TOLD, parts=parts))).elements
    assert "\x1b" not in page
    assert "<script" not in page


def test_a_page_has_every_word_of_the_timeline() -> None:
    """What a step is, how long it took, how often it was tried. (ours)"""
    texts = " ".join(Page(as_page(TOLD)).texts)

    for said in (
        "What is AAPL at?",
        "chat-1 · gpt-4 · open",
        "3 turns after 1 before · 2 runs · 2,500 tokens in, 25 out",
        "finance.stock_price",
        "attempt 2 of 6",
        "before: the worker that ran it is gone.",
        "its worker was gone",
        "The it tools are not available.",
        "goes on in a new run",
        "No reply",
        "failed: no.",
        "Under way",
        "1,200 tokens in, 20 out",
        "1 min 40 s",
    ):
        assert said in texts


def test_what_is_too_long_for_a_page_is_cut_visibly() -> None:
    """A tool may give megabytes. (ours)"""
    step = Step(Kind.TOOL, "reader", TOLD.turns[0].start, None, Outcome.DONE, gave="<" * 2_000_000)
    page = as_page(Timeline("chat-1", None, "gpt-4", "open", 1, 0, (), (step,)))

    assert len(page) < 200_000
    assert "[… 1,980,000 characters left out]" in page
