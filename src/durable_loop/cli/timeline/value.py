"""The timeline of a chat: its turns, and what was done in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from durable_loop.chat.messages import TranscriptLine

__all__ = ["Kind", "Outcome", "Step", "TimedTurn", "Timeline", "Tokens"]


class Kind(StrEnum):
    """What a step is."""

    MODEL = "model call"
    SUMMARY = "summary"  # a model call between turns
    TOOL = "tool"
    MCP_TOOL = "MCP tool"
    MCP_LIST = "MCP list"
    QUESTION = "question"
    GAP = "gap"  # nobody worked: a worker was dead, or none was there
    CHAT = "chat"  # something that became of the chat itself


class Outcome(StrEnum):
    """What came of a step or a turn."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"  # by the user, or because nobody allowed it in time
    OPEN = "under way"
    WAITING = "waiting"


@dataclass(frozen=True)
class Tokens:
    """What a model read and wrote, as its provider counts."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        """Count both."""
        return Tokens(self.read + other.read, self.written + other.written)

    def __bool__(self) -> bool:
        """Whether anything was counted: the offline model does not."""
        return bool(self.read or self.written)


@dataclass(frozen=True)
class Step:
    """One thing that was done: how it was asked for, and what it gave.

    `start` is when the chat asked for it. How long the attempts before the last one took is in no history.
    """

    kind: Kind
    name: str
    start: datetime
    end: datetime | None = None
    outcome: Outcome = Outcome.OPEN
    asked: str = ""
    gave: str = ""
    tokens: Tokens = Tokens()
    attempts: int = 1
    max_attempts: int = 0
    # Why the attempt before the last one failed.
    last_failure: str = ""
    # Of a model call: what the model said, and which tools it called.
    said: tuple[TranscriptLine, ...] = ()

    @property
    def time(self) -> timedelta | None:
        """How long it took, all attempts together."""
        return self.end - self.start if self.end else None


@dataclass(frozen=True)
class TimedTurn:
    """A message of the user, what was done for it, and the answer: a reply, or why there is none."""

    number: int
    turn_id: str
    text: str
    start: datetime
    end: datetime | None
    outcome: Outcome
    answer: str
    notes: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def time(self) -> timedelta | None:
        """How long the user waited."""
        return self.end - self.start if self.end else None

    @property
    def tokens(self) -> Tokens:
        """What its model calls came to."""
        return sum((step.tokens for step in self.steps), Tokens())

    def place_of(self, step: Step) -> tuple[float, float]:
        """Return where a step begins and ends in the turn, between 0 and 1; one that is not over ends with it."""
        ends = [end for end in (self.end, *(each.end or each.start for each in self.steps)) if end is not None]
        end = max(ends)
        whole = max((end - self.start).total_seconds(), 1e-6)
        begins, ends_at = ((at - self.start).total_seconds() / whole for at in (step.start, step.end or end))
        return min(max(begins, 0.0), 1.0), min(max(ends_at, 0.0), 1.0)


@dataclass(frozen=True)
class Timeline:
    """A chat from its first event to its last one; what lies between turns is a step."""

    chat_id: str
    title: str | None
    model: str
    state: str
    runs: int
    # Turns of which the events are not there: they are in runs before.
    turns_before: int
    # What the chat remembered of those turns.
    remembered: tuple[TranscriptLine, ...]
    parts: tuple[TimedTurn | Step, ...]

    @property
    def turns(self) -> tuple[TimedTurn, ...]:
        """The turns alone."""
        return tuple(part for part in self.parts if isinstance(part, TimedTurn))

    @property
    def steps(self) -> Iterator[Step]:
        """All steps, in turns and between them."""
        for part in self.parts:
            yield from part.steps if isinstance(part, TimedTurn) else (part,)

    @property
    def tokens(self) -> Tokens:
        """What all model calls came to."""
        return sum((step.tokens for step in self.steps), Tokens())

    @property
    def retries(self) -> int:
        """How many attempts were not the first."""
        return sum(step.attempts - 1 for step in self.steps)

    @property
    def gaps(self) -> int:
        """How often nobody worked."""
        return sum(step.kind is Kind.GAP for step in self.steps)
