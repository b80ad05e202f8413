"""What the parts of a message can be."""

from dataclasses import dataclass

from durable_loop.models.offline.choosing import Choice
from durable_loop.models.offline.memory import Fact
from durable_loop.models.offline.small_talk import SmallTalk

__all__ = ["Noted", "Part", "Recalled", "Requested", "Understood", "Unknown"]


@dataclass(frozen=True)
class Requested:
    """A tool is meant; `choice.missing` says what the user has left out."""

    choice: Choice

    @property
    def complete(self) -> bool:
        """Whether the tool can be called."""
        return not self.choice.missing


@dataclass(frozen=True)
class Noted:
    """The user has said something worth remembering."""

    fact: Fact


@dataclass(frozen=True)
class Recalled:
    """The user asks for something said earlier."""

    answer: str


@dataclass(frozen=True)
class Unknown:
    """Nothing that the tools or the memory can do; `asked` tells a request from a remark."""

    text: str
    asked: bool


Part = Requested | Noted | Recalled | SmallTalk | Unknown


@dataclass(frozen=True)
class Understood:
    """The parts of a message, in order."""

    parts: tuple[Part, ...] = ()

    @property
    def last_request(self) -> Choice | None:
        """The tool request that a next message may go on from."""
        return next((part.choice for part in reversed(self.parts) if isinstance(part, Requested)), None)
