"""The commands within a chat, `/help` and its like: which there are, and what a line means."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from durable_loop.cli import command_words

__all__ = ["COMMANDS", "ChatIds", "Command", "SlashCompleter", "find", "parsed", "wrong"]

# Returns what `/resume` can be given, and soon: the user is typing.
ChatIds = Callable[[], Awaitable[Sequence[str]]]

# A path is no command: `/etc/hosts, what is that?` is for the agent.
_COMMAND: Final = re.compile(r"/(\w+)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Command:
    """One of them; `choices` are what may follow it."""

    name: str
    about: str
    argument: str = ""
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """Return how it is typed."""
        return f"/{self.name} {self.argument}".strip()


COMMANDS: Final = (
    Command("help", "what there is to type"),
    Command("new", "begin a new chat; this one stays", "[MODEL]"),
    Command("chats", "list the chats"),
    Command("resume", "go on with another chat, by default the newest that is open", "[ID]"),
    Command("history", "what was said in this chat"),
    Command("tools", "what the agent may call, and what it asks about first"),
    Command("model", "the model of this chat; with a name: the model of the next new chat", "[MODEL]"),
    Command("approve", "answer what the agent asks"),
    Command("cancel", "stop the message that is being answered, whoever sent it, and those that wait"),
    Command("compact", "have the older turns summarised"),
    Command("edit", "write the message in an editor ($VISUAL, $EDITOR)", "[TEXT]"),
    Command("export", "write this chat to a file", "[md|json|html] [FILE]", ("md", "json", "html")),
    Command("link", "where this chat is in Temporal's web interface"),
    Command("status", "how this chat and what it needs are"),
    Command("quit", "leave; the chat stays"),
)
_BY_NAME: Final = {command.name: command for command in COMMANDS}


def find(name: str) -> Command | None:
    """Return the command of this name."""
    return _BY_NAME.get(name.lower())


def wrong(name: str, argument: str) -> str | None:
    """Return what is wrong with a command as it was typed, and what to type; None where nothing is."""
    command = find(name)
    if command is None:
        return command_words.unknown_command(name)
    return command_words.takes_nothing(command.name) if argument and not command.argument else None


def parsed(line: str) -> tuple[str, str] | None:
    """Return the name and the argument where a line is a command, known or not; a space in front makes it a message."""
    found = _COMMAND.fullmatch(line.rstrip())
    return (found[1].lower(), (found[2] or "").strip()) if found else None


class SlashCompleter(Completer):
    """Completes commands and what follows them, with Tab."""

    def __init__(self, chat_ids: ChatIds) -> None:
        self._chat_ids = chat_ids

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Return those that need nobody to be asked."""
        del complete_event
        typed = document.text_before_cursor
        name, space, rest = typed.removeprefix("/").partition(" ")
        if not typed.startswith("/"):
            return
        if not space:
            for command in COMMANDS:
                if command.name.startswith(name.lower()):
                    yield Completion(f"/{command.name}", -len(typed), display=command.usage, display_meta=command.about)
        elif (command := find(name)) is not None:
            yield from _beginning_with(rest, command.choices)

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion]:
        """Return those, and the ids of chats."""
        for completion in self.get_completions(document, complete_event):
            yield completion
        name, space, rest = document.text_before_cursor.partition(" ")
        if space and name == "/resume":
            for completion in _beginning_with(rest, await self._chat_ids()):
                yield completion


def _beginning_with(typed: str, words: Iterable[str]) -> Iterable[Completion]:
    return (Completion(word, -len(typed)) for word in words if word.startswith(typed))
