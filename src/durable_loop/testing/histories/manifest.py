"""The list of stored histories: why each is there, what to expect of it, and its checksum."""

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, cast

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from durable_loop.errors import SettingsError

__all__ = ["NAME", "AcceptedDrift", "Entry", "Expectation", "as_toml", "entries_in", "stated"]

# It becomes a path.
NAME: Final = r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)+"


class Expectation(StrEnum):
    """What a replay on this code must give."""

    REPLAYS = "replays"
    NONDETERMINISM = "nondeterminism"  # it must be noticed, or the check proves nothing


class AcceptedDrift(BaseModel):
    """A change of behaviour that is meant: exactly this one passes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    why: str


class Entry(BaseModel):
    """A stored history, as the manifest lists it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=rf"^{NAME}\.v(0|[1-9][0-9]*)$")]
    workflow: str
    why: str
    expect: Expectation = Expectation.REPLAYS
    events: int
    sha256: str
    versions: Mapping[str, str]
    accepted_drift: AcceptedDrift | None = None
    allowed: tuple[str, ...] | None = None  # texts that only look as if they told of the machine

    @property
    def name(self) -> str:
        """The id without its generation."""
        return self.id.rpartition(".v")[0]

    @property
    def generation(self) -> int:
        """How often the scenario had been recorded before."""
        return int(self.id.rpartition(".v")[2])


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    history: list[Entry] = Field(default_factory=list[Entry])


def stated(why: str) -> str:
    """Return a reason, without what is blank around it.

    Raises:
        SettingsError: there is nothing else.
    """
    if not why.strip():
        raise SettingsError("The reason is blank: say why, for whoever comes after you.")
    return why.strip()


def entries_in(path: Path) -> list[Entry]:
    """Return what a manifest lists, in its order; one that is not there lists nothing.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no manifest of histories: {error}.") from error
    try:
        return _Manifest.model_validate(content).history
    except ValidationError as error:
        wrong = "; ".join(_in_words(each, content) for each in error.errors())
        raise SettingsError(f"{path} is no manifest of histories: {wrong}.") from error


def _in_words(error: ErrorDetails, content: Mapping[str, Any]) -> str:
    """Return what is wrong, in which field of which entry."""
    match error["loc"]:
        case (str(), int(number), *fields):
            entry = content["history"][number]
            id_ = cast("dict[str, Any]", entry).get("id", number + 1) if isinstance(entry, dict) else number + 1
            where = f"entry {id_}"
        case fields:
            where = "it"
    field = ".".join(map(str, fields))
    match error["type"]:
        case "missing":
            return f"{where} has no {field}"
        case "extra_forbidden":
            return f"{where} has {field}, which is not known there"
        case "string_pattern_mismatch":
            return f"{where} has an {field} that is not like area/scenario.v0"
        case _:
            return f"{where} is wrong in {field}: {error['msg']}" if field else f"{where} is no table"


def as_toml(entries: Iterable[Entry]) -> str:
    """Return the text of a manifest that lists these, sorted."""
    listed: list[dict[str, Any]] = [
        entry.model_dump(mode="json", exclude_none=True) for entry in sorted(entries, key=lambda entry: entry.id)
    ]
    return tomli_w.dumps({"history": listed})
