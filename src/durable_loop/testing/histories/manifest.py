"""The list of stored histories: why each is there, what to expect of it, and its checksum."""

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from durable_loop.errors import SettingsError

__all__ = ["AcceptedDrift", "Entry", "Expectation", "as_toml", "entries_in"]


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

    id: str
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
    history: list[Entry] = Field(default_factory=list[Entry])


def entries_in(path: Path) -> list[Entry]:
    """Return what a manifest lists, in its order; one that is not there lists nothing.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return _Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).history
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise SettingsError(f"{path} is no manifest of histories: {error}") from error


def as_toml(entries: Iterable[Entry]) -> str:
    """Return the text of a manifest that lists these, sorted."""
    listed: list[dict[str, Any]] = [
        entry.model_dump(mode="json", exclude_none=True) for entry in sorted(entries, key=lambda entry: entry.id)
    ]
    return tomli_w.dumps({"history": listed})
