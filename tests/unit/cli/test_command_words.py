"""What the commands within a chat say, as wide as there is room for."""

import pytest

from durable_loop.chat.messages import ListedTool
from durable_loop.cli import command_words
from durable_loop.cli.slash import COMMANDS
from durable_loop.cli.terminal import Look

KNOWN = [(command.usage, command.about) for command in COMMANDS]
LINK = "https://example.com/a-page-whose-address-is-longer-than-the-line"
TOOLS = [
    ListedTool(
        name="track_ip",
        about=f"Find where an address is, as {LINK} has it.",
        writes=True,
        destroys=False,
        asks_first=True,
    ),
    ListedTool(name="calculator", about="Evaluate.", writes=False, destroys=False, asks_first=False),
]


def look(columns: int) -> Look:
    return Look(columns=columns, plain=False, colours=True)


@pytest.mark.parametrize("columns", [20, 40, 62, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(columns: int) -> None:
    """It wraps between words. (ours)"""
    listed = command_words.commands(KNOWN, look(columns))

    assert max(map(len, listed.splitlines())) <= max(columns, len("[md|json|html]") + 6)
    for usage, about in KNOWN:
        assert set(f"{usage} {about}".replace(":", "").split()) <= set(listed.replace(":", "").split())


def test_what_no_terminal_shows_has_a_line_each() -> None:
    """A pipe has no width. (ours)"""
    assert len(command_words.commands(KNOWN, None).splitlines()) == len(COMMANDS) + 2
    assert len(command_words.tools(TOOLS, None).splitlines()) == len(TOOLS)


def test_an_address_stays_whole() -> None:
    """Half of one can neither be copied nor opened. (ours)"""
    assert command_words.tools(TOOLS, look(40)) == (
        "  track_ip (writes, asks first): Find\n"
        "      where an address is, as\n"
        f"      {LINK}\n"
        "      has it.\n"
        "  calculator: Evaluate.\n"
    )
