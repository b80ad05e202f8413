"""What a line means, and what Tab offers."""

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from durable_loop.cli.acting import ACTIONS
from durable_loop.cli.slash import COMMANDS, SlashCompleter, find, parsed, wrong

EVENT = CompleteEvent(completion_requested=True)
# Those that the program does itself, before there is a chat.
BY_THE_PROGRAM = {"help", "quit"}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/help", ("help", "")),
        ("/HELP  ", ("help", "")),
        ("/export html  a file.html ", ("export", "html  a file.html")),
        ("/edit one\ntwo", ("edit", "one\ntwo")),
        ("/nonsense", ("nonsense", "")),
        (" /help", None),
        ("/etc/hosts, what is that?", None),
        ("/", None),
        ("//", None),
        ("what does /help do?", None),
        ("", None),
    ],
)
def test_a_line_that_begins_like_a_command_is_one(line: str, command: tuple[str, str] | None) -> None:
    """Known or not; a path is none, and a space in front makes it a message. (ours)"""
    assert parsed(line) == command


def test_each_command_is_done_by_somebody() -> None:
    """What /help lists is all that there is. (ours)"""
    assert {command.name for command in COMMANDS} == {*ACTIONS, *BY_THE_PROGRAM}
    assert find("nonsense") is None


async def offered(typed: str) -> list[str]:
    """Return what Tab offers."""

    async def ids() -> list[str]:
        return ["chat-1a", "chat-1b", "chat-2"]

    completions = SlashCompleter(ids).get_completions_async(Document(typed), EVENT)
    return [typed[: len(typed) + each.start_position] + each.text async for each in completions]


@pytest.mark.parametrize(
    ("typed", "offers"),
    [
        ("/ex", ["/export"]),
        ("/E", ["/edit", "/export"]),
        ("/export ", ["/export md", "/export json", "/export html"]),
        ("/export h", ["/export html"]),
        ("/resume chat-1", ["/resume chat-1a", "/resume chat-1b"]),
        ("/help ", []),
        ("/nonsense ", []),
        ("hello /ex", []),
        ("", []),
    ],
)
async def test_commands_formats_and_chats_are_offered(typed: str, offers: list[str]) -> None:
    """And nothing within a message. (ours)"""
    assert await offered(typed) == offers


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/nonsense", "There is no command /nonsense: /help lists them."),
        ("/status now", "/status stands alone: nothing follows it."),
        ("/quit this", "/quit stands alone"),
        ("/HELP me", "/help stands alone"),
        ("/model gpt-4", None),
        ("/export md a b.md", None),
        ("/status", None),
    ],
)
def test_what_is_wrong_with_a_command_is_said(line: str, said: str | None) -> None:
    """And what to type; nothing is ignored. (ours)"""
    command = parsed(line)
    assert command is not None
    told = wrong(*command)

    assert told is None if said is None else told is not None and said in told
