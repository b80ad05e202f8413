"""A script as a file for worker processes, or written by hand: JSON or YAML, a line for each step.

What is no script is refused in words: the file, the place in it, and what to write there.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from durable_loop.testing import script_json
from durable_loop.testing.errors import ScriptError
from durable_loop.testing.steps import Calls, Delays, Fails, Floods, HandsOff, Loops, Says, Step

__all__ = ["Line", "ScriptFile"]

# How deep lists and mappings may stand in each other: far below the point at which json and pydantic give up.
MOST_LEVELS: Final = 100

_YAML = frozenset({".yaml", ".yml"})
_WORDS: Mapping[type[Step], str] = {
    Says: "says",
    Calls: "calls",
    HandsOff: "hands_off_to",
    Loops: "loops",
    Floods: "floods",
    Fails: "fails",
    Delays: "delays",
}
_HELP = (
    "A step is one of: says: TEXT, calls: {tool: NAME, arguments: {…}} or a list of these, hands_off_to: AGENT, "
    "loops: {tool: NAME}, floods: CHARACTERS, fails: MESSAGE or {message: …, attempts: …}, delays: SECONDS.\n"
    "A script is a list of steps, or {steps: […], summary: …, models: {NAME: …}}."
)


class Line(BaseModel):
    """A step in a file, by its word."""

    model_config = ConfigDict(extra="forbid")

    says: Says | None = None
    calls: Calls | None = None
    hands_off_to: HandsOff | None = None
    loops: Loops | None = None
    floods: Floods | None = None
    fails: Fails | None = None
    delays: Delays | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("one word each")
        return self

    @classmethod
    def of(cls, step: Step) -> Self:
        """Return the line of a step."""
        return cls.model_validate({_WORDS[type(step)]: step})

    @property
    def step(self) -> Step:
        """The step that it tells."""
        (word,) = self.model_fields_set
        return getattr(self, word)

    def written(self) -> dict[str, Any]:
        """Return it as short as it can be read."""
        (word,) = self.model_fields_set
        value: Any = self.step.model_dump(mode="json", exclude_defaults=True)
        return {word: next(iter(value.values())) if len(value) == 1 else value}


class ScriptFile(BaseModel):
    """What a file holds; a summary is there where it is not the usual one."""

    model_config = ConfigDict(extra="forbid")

    steps: list[Line]
    summary: Line | None = None
    models: dict[str, "ScriptFile"] = Field(default_factory=dict[str, "ScriptFile"])

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"steps": cast("Any", value)} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _has_a_summary(self) -> Self:
        if self.summary is not None and not isinstance(self.summary.step, Says | Fails):
            raise ValueError("a summary says or fails")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file, YAML by its suffix, else JSON.

        Raises:
            ScriptError: it cannot be read, or holds something that is no step.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScriptError(f"The script {path} cannot be read: {error}") from error
        try:
            value = _format(path).parsed(path, text)
        except RecursionError as error:
            raise _too_deep(path) from error
        _refuse_what_json_has_not(path, value)
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            wrong = "\n".join(f"  {_told(each)}" for each in error.errors())
            raise ScriptError(f"The script {path} has something that is no step:\n{wrong}\n{_HELP}") from error

    def write(self, path: Path) -> None:
        """Write it: YAML by its suffix, else JSON.

        Raises:
            ScriptError: an argument of a call is nothing that a file can hold.
        """
        try:
            content = self.written()
        except ValueError as error:  # pydantic's own for what it cannot turn into JSON
            raise ScriptError(f"The script cannot be written to {path}: {error}") from error
        _refuse_what_json_has_not(path, content)
        path.write_text(_format(path).written(content), encoding="utf-8")

    def written(self) -> dict[str, Any]:
        """Return the content of the file."""
        content: dict[str, Any] = {"steps": [line.written() for line in self.steps]}
        if self.summary is not None:
            content["summary"] = self.summary.written()
        if self.models:
            content["models"] = {name: inner.written() for name, inner in self.models.items()}
        return content


def _format(path: Path) -> ModuleType:
    if path.suffix not in _YAML:
        return script_json
    try:
        from durable_loop.testing import script_yaml  # noqa: PLC0415 - only for whoever writes scripts in YAML
    except ImportError as error:
        raise ScriptError(f"{path}: scripts in YAML need PyYAML: pip install durable-loop[testing]") from error
    return script_yaml


def _refuse_what_json_has_not(path: Path, value: Any) -> None:
    """Refuse what Python and YAML can hold, and JSON cannot."""
    if _is_deeper(value, MOST_LEVELS):
        raise _too_deep(path)
    if places := list(_not_finite(value)):
        wrong = "\n".join(f"  {place}: write a number that JSON has, or a text in quotes" for place in places)
        raise ScriptError(f"The script {path} has what is no number in JSON:\n{wrong}")


def _not_finite(value: Any, place: str = "") -> Iterator[str]:
    match value:
        case float(number) if not math.isfinite(number):
            yield f"{place or 'the file'}: {number}"
        case dict():
            for key, inner in cast("dict[str, Any]", value).items():
                yield from _not_finite(inner, f"{place}.{key}" if place else key)
        case list():
            for index, inner in enumerate(cast("list[Any]", value)):
                yield from _not_finite(inner, f"{place}.{index}" if place else str(index))
        case _:
            return


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        inner: Iterable[Any] = cast("dict[str, Any]", value).values()
    else:
        inner = cast("list[Any]", value) if isinstance(value, list) else ()
    return any(levels == 0 or _is_deeper(one, levels - 1) for one in inner)


def _too_deep(path: Path) -> ScriptError:
    return ScriptError(
        f"The script {path} has lists or mappings in each other more than {MOST_LEVELS} levels deep: write it flatter."
    )


def _told(wrong: ErrorDetails) -> str:
    where = ".".join(map(str, wrong["loc"])) or "the file"
    if wrong["type"] != "model_type":  # the one whose text names our classes
        return f"{where}: {wrong['msg']}"
    match wrong["input"]:
        case None:
            return f"{where}: there is nothing here"
        case dict() | list():
            return f"{where}: a list or mapping of this kind does not go here"
        case str(text):
            return f"{where}: the text {text!r} does not go here"
        case other:
            return f"{where}: {json.dumps(other)} does not go here; a text that looks like a number stands in quotes"
