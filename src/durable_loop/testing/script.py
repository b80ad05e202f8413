"""A dialogue for the fake model: what the model does, call by call. Also a JSON file, for worker processes.

    Script(
        calls("stock_price", ticker="AAPL"),
        says("AAPL is at 185.50."),
        fails("rate limited", attempts=2), says("Here I am again."),
    )

A turn ends with what the user sees: `says`, or a `fails` that never stops failing. So a step has a
place (turn, call within the turn) that can be read from any request, and a turn that broke off
does not shift the ones after it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field

__all__ = ["Call", "Calls", "Fails", "Says", "Script", "Step", "call", "calls", "fails", "says"]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Says(_Step):
    """The model answers; the turn is over."""

    kind: Literal["says"] = "says"
    text: str


class Call(_Step):
    """One tool call."""

    tool: str
    arguments: Mapping[str, Any] = {}


class Calls(_Step):
    """The model calls tools, several at once where there are several."""

    kind: Literal["calls"] = "calls"
    calls: tuple[Call, ...]


class Fails(_Step):
    """The model call fails: `attempts` times, after which the next step answers it, or always (None)."""

    kind: Literal["fails"] = "fails"
    message: str
    attempts: int | None = Field(default=None, ge=1)
    retryable: bool = True


Step = Annotated[Says | Calls | Fails, Discriminator("kind")]


def says(text: str) -> Says:
    """Have the model answer with `text`."""
    return Says(text=text)


def call(tool: str, /, **arguments: Any) -> Call:
    """Make one of the tool calls of a `calls` with several."""
    return Call(tool=tool, arguments=arguments)


def calls(tool: str | Call, /, *more: Call, **arguments: Any) -> Calls:
    """Have the model call a tool with arguments, or several tools at once."""
    first = tool if isinstance(tool, Call) else Call(tool=tool, arguments=arguments)
    return Calls(calls=(first, *more))


def fails(message: str, *, attempts: int | None = None, retryable: bool = True) -> Fails:
    """Have the model call fail, the first `attempts` times or always."""
    return Fails(message=message, attempts=attempts, retryable=retryable)


@dataclass(frozen=True, order=True)
class Place:
    """Where a model call stands: the turn and the call within it, both from 0."""

    turn: int
    call: int

    def __str__(self) -> str:
        """Count as people do."""
        return f"turn {self.turn + 1}, model call {self.call + 1}"


_SUMMARY = Says(text="(a summary of the older turns)")


class Script:
    """The steps in order, and what the model says when it is asked to summarise old turns; immutable."""

    def __init__(self, *steps: Says | Calls | Fails, summary: Says | Fails = _SUMMARY) -> None:
        self.steps = steps
        self.summary = summary
        self._places = dict(_places(steps))

    def at(self, place: Place, *, attempt: int) -> Says | Calls | Fails | None:
        """Return the step for a model call on its `attempt` (from 1), or None where there is none."""
        return next((step for step, first, last in self._attempts(place) if first <= attempt <= last), None)

    def nearest(self, place: Place) -> str:
        """Return the last step at or before a place, in words."""
        before = [known for known in self._places if known <= place]
        if not before:
            return "the script is empty"
        nearest = max(before)
        return f"{nearest}: {self._places[nearest][-1]!r}"

    def unused(self, used: Mapping[Place, int]) -> list[str]:
        """Return the steps that no call came to, in words; `used` has the highest attempt at each place."""
        return [
            f"{place}: {step!r}"
            for place in self._places
            for step, first, _ in self._attempts(place)
            if used.get(place, 0) < first
        ]

    def _attempts(self, place: Place) -> Iterator[tuple[Says | Calls | Fails, int, float]]:
        """Give each step of a place the first and the last attempt that it answers."""
        first = 1
        for step in self._places.get(place, ()):
            attempts = step.attempts if isinstance(step, Fails) else None
            if attempts is None:
                yield step, first, math.inf
                return
            yield step, first, first + attempts - 1
            first += attempts

    def write(self, path: Path) -> None:
        """Write the script to a file that a worker process can read."""
        path.write_text(_File(steps=self.steps, summary=self.summary).model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a script from its file."""
        file = _File.model_validate_json(path.read_bytes())
        return cls(*file.steps, summary=file.summary)


class _File(BaseModel):
    steps: tuple[Step, ...]
    summary: Annotated[Says | Fails, Discriminator("kind")]


def _places(steps: tuple[Says | Calls | Fails, ...]) -> list[tuple[Place, tuple[Says | Calls | Fails, ...]]]:
    """Give each step its place; a `fails` with a number of attempts shares the place of what comes after it."""
    found: list[tuple[Place, tuple[Says | Calls | Fails, ...]]] = []
    place, pending = Place(turn=0, call=0), list[Says | Calls | Fails]()
    for step in steps:
        pending.append(step)
        if isinstance(step, Fails) and step.attempts is not None:
            continue
        found.append((place, tuple(pending)))
        pending = []
        ends = not isinstance(step, Calls)
        place = Place(turn=place.turn + 1, call=0) if ends else Place(turn=place.turn, call=place.call + 1)
    if pending:
        found.append((place, tuple(pending)))
    return found
