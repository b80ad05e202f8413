"""The list of chats, whole."""

from datetime import UTC, datetime

from durable_loop.chat.listing import ListedChat
from durable_loop.cli import tables
from durable_loop.cli.tables import Said
from durable_loop.cli.terminal import Look

BEGAN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ENDED = datetime(2026, 1, 2, 4, 5, tzinfo=UTC)
CHATS = [
    ListedChat("chat-2", "What is [bold]AAPL[/bold]\nat?\x1b[2J", "offline", "ended", BEGAN, ENDED),
    ListedChat("chat-1", None, None, "open", BEGAN, None),
]
SAID = [Said(turns=2, tokens=12_345, last="At 185.50."), Said()]


def local(moment: datetime) -> str:
    """Return a moment as a person here writes it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def test_a_plain_list_is_a_line_for_each_chat() -> None:
    """Nothing is cut, and what models and users write is no markup. (ours)"""
    assert tables.plain(CHATS, None) == (
        "id      title                             model    state  start             end\n"
        f"chat-2  What is [bold]AAPL[/bold] at?[2J  offline  ended  {local(BEGAN)}  {local(ENDED)}\n"
        f"chat-1  ?                                 ?        open   {local(BEGAN)}\n"
    )


def test_what_a_chat_says_itself_comes_last() -> None:
    """A question mark where it does not answer. (ours)"""
    lines = tables.plain(CHATS, SAID).splitlines()

    assert lines[0].endswith("end               turns  tokens  last")
    assert lines[1].endswith(f"{local(ENDED)}  2      12,345  At 185.50.")
    assert lines[2].endswith(f"{local(BEGAN)}                    ?      ?       ?")


def test_a_table_is_no_wider_than_the_terminal() -> None:
    """What can be spared is left out, then texts are cut; where the terminal is plain, so is the table. (ours)"""
    look = Look(columns=60, plain=True, colours=False)
    assert tables.table(CHATS, None, look) == (
        "id      title               model    state  start\n"
        f"chat-2  What is [bold]AAP…  offline  ended  {local(BEGAN)}\n"
        f"chat-1  ?                   ?        open   {local(BEGAN)}\n"
    )
    assert tables.table(CHATS, SAID, Look(columns=40, plain=True, colours=False)) == (
        "id      title     state  turns  last\n"
        "chat-2  What is…  ended  2      At 185.…\n"
        "chat-1  ?         open   ?      ?\n"
    )


def test_json_has_the_same_keys_for_each_chat() -> None:
    """Null is what is not known. (ours)"""
    assert tables.as_json(CHATS, SAID)[1] == {
        "id": "chat-1",
        "title": None,
        "model": None,
        "state": "open",
        "start": "2026-01-02T03:04:00+00:00",
        "end": None,
        "turns": None,
        "tokens": None,
        "last": None,
    }
    assert list(tables.as_json(CHATS, None)[0]) == ["id", "title", "model", "state", "start", "end"]
