"""A dialogue for the fake model: what the model does, call by call. Also a JSON or YAML file, for worker processes.

    Script(
        calls("stock_price", ticker="AAPL"),
        says("AAPL is at 185.50."),
        fails("rate limited", attempts=2), says("Here I am again."),
    )

A turn ends with what the user sees: an answer, or a failure or a loop that never stops. So a step has a place (turn,
call within the turn) that can be read from any request, and a turn that broke off does not shift the ones after it.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from durable_loop.testing.errors import ScriptError
from durable_loop.testing.steps import Calls, Delays, Fails, Floods, Loops, Says, Step

__all__ = ["Place", "Script"]

_YAML = frozenset({".yaml", ".yml"})
_WORDS: Mapping[type[Step], str] = {
    Says: "says",
    Calls: "calls",
    Loops: "loops",
    Floods: "floods",
    Fails: "fails",
    Delays: "delays",
}


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
        """Write the script to a file that a worker process can read: YAML by its suffix, else JSON."""
        content = _content(self)
        if path.suffix in _YAML:
            text = _yaml(path).safe_dump(content, sort_keys=False, allow_unicode=True)
        else:
            text = json.dumps(content, indent=2, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a script from its file: `steps`, and `summary` and `models` where they are not the usual ones.

        Raises:
            ScriptError: it cannot be read, or a step is none.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScriptError(f"The script {path} cannot be read: {error}") from error
        try:
            return cls._from(_File.model_validate(_parsed(path, text)))
        except ValidationError as error:
            wrong = "\n".join(f"  {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise ScriptError(f"The script {path} has something that is no step:\n{wrong}\n{_HELP}") from error

    @classmethod
    def _from(cls, file: "_File") -> Self:
        return cls(
            *(line.step for line in file.steps),
            summary=cast("Says | Fails", file.summary.step) if file.summary else _SUMMARY,
            models={name: cls._from(script) for name, script in file.models.items()},
        )


_HELP = (
    "A step is one of: says: TEXT, calls: {tool: NAME, arguments: {…}} or a list of these, loops: {tool: NAME}, "
    "floods: CHARACTERS, fails: MESSAGE or {message: …, attempts: …}, delays: SECONDS."
)


class _Line(BaseModel):
    """A step in a file, by its word."""

    model_config = ConfigDict(extra="forbid")

    says: Says | None = None
    calls: Calls | None = None
    loops: Loops | None = None
    floods: Floods | None = None
    fails: Fails | None = None
    delays: Delays | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("one word each")
        return self

    @property
    def step(self) -> Step:
        (word,) = self.model_fields_set
        return getattr(self, word)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    steps: list[_Line]
    summary: _Line | None = None
    models: dict[str, "_File"] = Field(default_factory=dict[str, "_File"])

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"steps": cast("Any", value)} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _has_a_summary(self) -> Self:
        if self.summary is not None and not isinstance(self.summary.step, Says | Fails):
            raise ValueError("a summary says or fails")
        return self


def _content(script: Script) -> dict[str, Any]:
    content: dict[str, Any] = {"steps": [_written(step) for step in script.steps]}
    if script.summary != _SUMMARY:
        content["summary"] = _written(script.summary)
    if script.models:
        content["models"] = {name: _content(inner) for name, inner in script.models.items()}
    return content


def _written(step: Step) -> dict[str, Any]:
    value: Any = step.model_dump(mode="json", exclude_defaults=True)
    return {_WORDS[type(step)]: next(iter(value.values())) if len(value) == 1 else value}


def _parsed(path: Path, text: str) -> Any:
    if path.suffix in _YAML:
        yaml = _yaml(path)
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ScriptError(f"The script {path} is no YAML: {error}") from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise ScriptError(f"The script {path} is no JSON: {error}") from error


def _yaml(path: Path) -> Any:
    try:
        import yaml  # noqa: PLC0415 - only for whoever writes scripts in YAML
    except ImportError as error:
        raise ScriptError(f"{path}: scripts in YAML need PyYAML: pip install durable-loop[testing]") from error
    return yaml


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
        ends = not isinstance(step, Calls)
        place = Place(turn=place.turn + 1, call=0) if ends else Place(turn=place.turn, call=place.call + 1)
    if pending:
        found.append((place, tuple(pending)))
    return found
