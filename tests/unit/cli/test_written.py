"""A chat as a file, whole."""

import json
from dataclasses import replace
from html.parser import HTMLParser

from durable_loop.chat.messages import TranscriptLine
from durable_loop.cli.screen import on_one_line
from durable_loop.cli.written import WholeChat, as_html, as_json, as_markdown
from tests.unit.cli.timeline.samples import TOLD

EVIL = "<script>alert('x')</script> & \"<img src=//evil.example>\" \x1b[2J{0}"
CHAT = WholeChat(
    heading="What is AAPL at?",
    about="chat-1 · offline · open",
    lines=[
        TranscriptLine(role="note", text="Before:\nmuch."),
        TranscriptLine(role="user", text="What is\nAAPL at?"),
        TranscriptLine(role="tool", text='stock_price({"ticker":"``AAPL`"})'),
        TranscriptLine(role="agent", text="**185.50**\n\n- really"),
    ],
)


def evil() -> WholeChat:
    """Return a chat in which everything would be markup."""
    lines = [TranscriptLine(role=line.role, text=EVIL) for line in CHAT.lines]
    return WholeChat(heading=on_one_line(EVIL), about=f"chat-1 · {on_one_line(EVIL)}", lines=lines)


class Page(HTMLParser):
    """What a browser makes of a page: its elements, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts = list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def test_markdown_has_what_was_said_as_it_was_written() -> None:
    """Who speaks is a heading; a tool call is code, whatever ticks are in it. (ours)"""
    assert as_markdown(CHAT) == (
        "# What is AAPL at?\n"
        "\n"
        "chat-1 · offline · open\n"
        "\n"
        "> Before:\n"
        "> much.\n"
        "\n"
        "## You\n"
        "\n"
        "What is\nAAPL at?\n"
        "\n"
        'Tool: ```stock_price({"ticker":"``AAPL`"})```\n'
        "\n"
        "## Agent\n"
        "\n"
        "**185.50**\n\n- really\n"
    )
    assert "\x1b" not in as_markdown(evil())


def test_json_is_a_list_of_lines() -> None:
    """Nothing of a text is changed, and its characters are such as every pipe takes. (ours)"""
    lines = json.loads(as_json(evil()))

    assert [line["role"] for line in lines] == ["note", "user", "tool", "agent"]
    assert {line["text"] for line in lines} == {EVIL}
    assert as_json(evil()).isascii()


def test_a_page_runs_nothing_and_needs_nothing() -> None:
    """All that models, tools and users wrote is text; the page itself forbids what it does not have. (ours)"""
    page = Page(as_html(evil()))

    assert page.tags == {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "article"),
    }
    assert page.attributes <= {"lang", "charset", "name", "content", "http-equiv", "class"}
    assert page.texts.count(EVIL.replace("\x1b", "")) == 2 + len(CHAT.lines)
    assert "default-src 'none'" in as_html(CHAT)
    assert "\x1b" not in as_html(evil())


def test_a_chat_without_a_title_is_called_by_its_id() -> None:
    """It began with nothing that was accepted. (ours)"""
    nameless = WholeChat.of(replace(TOLD, title=None, parts=(), remembered=()))

    assert as_markdown(nameless) == "# chat-1\n\nchat-1 · gpt-4 · open\n"
    assert "<h1>chat-1</h1>" in as_html(nameless)
