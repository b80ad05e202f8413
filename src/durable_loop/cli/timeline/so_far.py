"""What was read of a timeline so far: turns and steps that may not be over, and the questions of a turn."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from durable_loop.chat.messages import Decision, Turn, Verdict
from durable_loop.cli.timeline.value import Kind, Outcome, Step, TimedTurn

__all__ = ["Place", "QuestionsSoFar", "Row", "TurnSoFar"]


@dataclass
class Row:
    """A step as far as it was read."""

    step: Step

    def becomes(self, **changes: Any) -> None:
        """Take what came of it."""
        self.step = replace(self.step, **changes)


@dataclass
class TurnSoFar:
    """A turn as far as it was read."""

    number: int
    message: Turn
    accepted: datetime
    rows: list[Row] = field(default_factory=list[Row])
    begun: bool = False
    end: datetime | None = None
    outcome: Outcome | None = None
    answer: str = ""
    notes: tuple[str, ...] = ()

    @property
    def has_called_model(self) -> bool:
        """Whether it is past its beginning."""
        return any(row.step.kind is Kind.MODEL for row in self.rows)

    def settle(self, at: datetime, outcome: Outcome, answer: str = "") -> None:
        """Take what came of it. When it was over is known first, and what is told of it later counts."""
        self.end = self.end or at
        self.outcome, self.answer = outcome, answer or self.answer

    def told(self) -> TimedTurn:
        """Return it as it is now."""
        return TimedTurn(
            number=self.number,
            turn_id=self.message.turn_id,
            text=self.message.text,
            start=self.accepted,
            end=self.end,
            outcome=self.outcome or (Outcome.OPEN if self.begun else Outcome.WAITING),
            answer=self.answer,
            notes=self.notes,
            steps=tuple(sorted((row.step for row in self.rows), key=lambda step: step.start)),
        )


@dataclass
class Place:
    """A step, and where it stands: in a turn, or between two (None)."""

    row: Row
    rows: list[Any]
    turn: TurnSoFar | None


class QuestionsSoFar:
    """The questions of one run. No event names them: a question is the timer until which it may be answered."""

    def __init__(self) -> None:
        self._asked: dict[str, Place] = {}
        self._ids: dict[str, str] = {}
        self._decisions: dict[str, Decision] = {}

    def ask(self, timer: str, turn: TurnSoFar, tool: str, at: datetime) -> None:
        """Take a question."""
        row = Row(Step(Kind.QUESTION, tool, at))
        turn.rows.append(row)
        self._asked[timer] = Place(row, turn.rows, turn)
        number = sum(each.step.kind is Kind.QUESTION for each in turn.rows)
        self._ids[timer] = f"{turn.message.turn_id}/{number}"

    def name(self, ids: tuple[str, ...]) -> None:
        """Take the ids of those that are open now: one that was allowed before it was asked has a number, no timer."""
        open_ = [timer for timer, place in self._asked.items() if place.row.step.outcome is Outcome.OPEN]
        self._ids |= dict(zip(open_, ids, strict=False))

    def decide(self, decision: Decision) -> None:
        """Take what the user said; the first word on a question counts."""
        self._decisions.setdefault(decision.question_id, decision)

    def close(self, timer: str, at: datetime, *, in_time: bool) -> None:
        """Take that a timer is over; one that is no question's is nothing."""
        if (place := self._asked.get(timer)) is not None:
            outcome, gave = self._came_of(timer, place) if in_time else (Outcome.REFUSED, "nobody answered in time")
            place.row.becomes(end=at, outcome=outcome, gave=gave)

    def _came_of(self, timer: str, place: Place) -> tuple[Outcome, str]:
        decision = self._decisions.get(self._ids[timer])
        if place.turn is not None and place.turn.outcome is Outcome.CANCELLED:
            return Outcome.CANCELLED, ""
        if decision is None:  # allowed with another question about this tool, else refused with the end of the chat
            return (Outcome.DONE, "allowed") if place.row.step.name in self._always() else (Outcome.REFUSED, "")
        if decision.verdict is Verdict.REJECT:
            return Outcome.REFUSED, decision.reason
        return Outcome.DONE, "allowed" if decision.verdict is Verdict.APPROVE else "allowed, and always from now on"

    def _always(self) -> Iterator[str]:
        """Yield the tools of which all calls were allowed."""
        for timer, place in self._asked.items():
            decision = self._decisions.get(self._ids[timer])
            if decision is not None and decision.verdict is Verdict.ALWAYS:
                yield place.row.step.name
