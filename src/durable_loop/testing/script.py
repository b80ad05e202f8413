"""A dialogue for the fake model: what the model does, call by call. Also a JSON or YAML file, for worker processes.

    Script(
        calls("stock_price", ticker="AAPL"),
        says("AAPL is at 185.50."),
        fails("rate limited", attempts=2), says("Here I am again."),
    )

A turn ends with what the user sees: an answer, or a failure or a loop that never stops. So a step has a place (turn,
call within the turn) that can be read from any request, and a turn that broke off does not shift the ones after it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from durable_loop.testing.errors import ScriptError
from durable_loop.testing.script_file import Line, ScriptFile
from durable_loop.testing.steps import Calls, Delays, Fails, HandsOff, Loops, Says, Step

__all__ = ["Place", "Script"]


@dataclass(frozen=True, order=True)
class Place:
    """Where a model call stands: the turn and the call within it, both from 0."""

    turn: int
    call: int

    def __str__(self) -> str:
        """Count as people do."""
        return f"turn {self.turn + 1}, model call {self.call + 1}"


@dataclass(frozen=True)
class _Attempts:
    """A step with the first and the last attempt that it answers, and the seconds that it takes."""

    step: Step
    first: int
    last: float
    delay: float


_SUMMARY = Says(text="(a summary of the older turns)")


class Script:
    """The steps in order, and what the model says when it is asked to summarise old turns; immutable.

    `models` are the scripts of models that are called by other names: an agent that is a tool of another one has its
    own dialogue.

    Raises:
        ScriptError: it ends with a `delays`, after which no step comes.
    """

    def __init__(
        self, *steps: Step, summary: Says | Fails = _SUMMARY, models: Mapping[str, "Script"] | None = None
    ) -> None:
        if steps and isinstance(steps[-1], Delays):
            raise ScriptError(
                f"The script ends with delays({steps[-1].seconds:g}), which delays the step that comes next, and none "
                "comes: write what the model does after it, or leave it out."
            )
        self.steps = steps
        self.summary = summary
        self.models = dict(models or {})
        self._places = dict(_places(steps))
        self._loops = {place.turn: place for place, there in self._places.items() if isinstance(there[-1], Loops)}

    def at(self, place: Place, *, attempt: int) -> Step | None:
        """Return the step for a model call on its `attempt` (from 1), or None where there is none."""
        found = self._at(place, attempt)
        return found.step if found else None

    def delay(self, place: Place, *, attempt: int) -> float:
        """Return how many seconds the model takes for it."""
        found = self._at(place, attempt)
        return found.delay if found else 0.0

    def nearest(self, place: Place) -> str:
        """Return the last step at or before a place, in words."""
        before = [known for known in self._places if known <= place]
        if not before:
            return "the script is empty"
        nearest = max(before)
        return f"{nearest}: {self._places[nearest][-1]!r}"

    def handoff_after(self, place: Place) -> HandsOff | None:
        """Return the first handoff of the turn at or after a place."""
        ahead = (there[-1] for known, there in self._places.items() if known.turn == place.turn and known >= place)
        return next((step for step in ahead if isinstance(step, HandsOff)), None)

    def unused(self, used: Mapping[Place, int]) -> list[str]:
        """Return the steps that no call came to, in words; `used` has the highest attempt at each place."""
        return [
            f"{place}: {attempts.step!r}"
            for place in self._places
            for attempts in self._attempts(place)
            if used.get(place, 0) < attempts.first
        ]

    def _at(self, place: Place, attempt: int) -> _Attempts | None:
        looping = self._loops.get(place.turn)
        if looping is not None and place > looping:
            place = looping
        return next((one for one in self._attempts(place) if one.first <= attempt <= one.last), None)

    def _attempts(self, place: Place) -> Iterator[_Attempts]:
        first, delay = 1, 0.0
        for step in self._places.get(place, ()):
            if isinstance(step, Delays):
                delay += step.seconds
                continue
            attempts = step.attempts if isinstance(step, Fails) else None
            if attempts is None:
                yield _Attempts(step, first, math.inf, delay)
                return
            yield _Attempts(step, first, first + attempts - 1, delay)
            first, delay = first + attempts, 0.0

    def write(self, path: Path) -> None:
        """Write the script to a file that a worker process can read: YAML by its suffix, else JSON.

        Raises:
            ScriptError: an argument of a call is nothing that a file can hold.
        """
        _file(self).write(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a script from its file: `steps`, and `summary` and `models` where they are not the usual ones.

        Raises:
            ScriptError: it cannot be read, or a step is none.
        """
        file = ScriptFile.read(path)
        try:
            return cls._from(file)
        except ScriptError as error:
            raise ScriptError(f"{path}: {error}") from error

    @classmethod
    def _from(cls, file: ScriptFile) -> Self:
        return cls(
            *(line.step for line in file.steps),
            summary=cast("Says | Fails", file.summary.step) if file.summary else _SUMMARY,
            models={name: cls._from(script) for name, script in file.models.items()},
        )


def _file(script: Script) -> ScriptFile:
    return ScriptFile(
        steps=[Line.of(step) for step in script.steps],
        summary=None if script.summary == _SUMMARY else Line.of(script.summary),
        models={name: _file(inner) for name, inner in script.models.items()},
    )


def _places(steps: tuple[Step, ...]) -> list[tuple[Place, tuple[Step, ...]]]:
    """Give each step its place; a `fails` with a number of attempts, or a `delays`, shares that of what comes next."""
    found: list[tuple[Place, tuple[Step, ...]]] = []
    place, pending = Place(turn=0, call=0), list[Step]()
    for step in steps:
        pending.append(step)
        if isinstance(step, Delays) or (isinstance(step, Fails) and step.attempts is not None):
            continue
        found.append((place, tuple(pending)))
        pending = []
        ends = not isinstance(step, Calls | HandsOff)
        place = Place(turn=place.turn + 1, call=0) if ends else Place(turn=place.turn, call=place.call + 1)
    if pending:
        found.append((place, tuple(pending)))
    return found
