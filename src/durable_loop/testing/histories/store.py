"""The folder of stored histories, and its manifest.

    fixtures/histories/chat/one-turn.v0.json   what Temporal kept of a real run, scrubbed
    fixtures/histories/chat/one-turn.v0.txt    the same in one line an event, for people
    fixtures/histories/manifest.toml           why each is there, what to expect of it, and its checksum

A name is `area/scenario`; each of its generations is an entry, `area/scenario.v0`.
"""

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from durable_loop.errors import SettingsError
from durable_loop.testing.histories.digest import digest
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.scrubbing import telling

__all__ = ["AcceptedDrift", "Entry", "Expectation", "HistoryStore"]

MANIFEST: Final = "manifest.toml"
PACKAGES: Final = ("temporalio", "temporalio-openai-agents", "openai-agents", "mcp", "pydantic")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)+")


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


class HistoryStore:
    """Stored histories in a folder; it need not be there yet.

    Methods raise SettingsError where the manifest cannot be read, or where a name or an id is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[Entry]:
        """Return what the manifest lists, in its order."""
        path = self.folder / MANIFEST
        if not path.exists():
            return []
        try:
            return _Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).history
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
            raise SettingsError(f"{path} is no manifest of histories: {error}") from error

    def entry(self, id_: str) -> Entry:
        """Return the entry with an id, or the newest one with a name."""
        entries = self.entries()
        found = next((entry for entry in entries if entry.id == id_), None) or self.newest(id_)
        if found is None:
            known = ", ".join(entry.id for entry in entries) or "none"
            raise SettingsError(f"There is no history {id_} in {self.folder}. There are: {known}.")
        return found

    def newest(self, name: str) -> Entry | None:
        """Return the newest generation of a scenario, if it was ever recorded."""
        generations = [entry for entry in self.entries() if entry.name == name]
        return max(generations, key=lambda entry: entry.generation, default=None)

    def path(self, entry: Entry) -> Path:
        """Return the file of an entry."""
        return self.folder / f"{entry.id}.json"

    def read(self, entry: Entry) -> RecordedHistory:
        """Read a stored history."""
        return RecordedHistory.read(self.path(entry))

    def keep(
        self,
        name: str,
        history: RecordedHistory,
        *,
        why: str,
        expect: Expectation = Expectation.REPLAYS,
        allowed: Collection[str] = (),
    ) -> Entry:
        """Store a history as the next generation of its scenario; a file that is there is not overwritten.

        Refused is one that tells of the machine in a text, but for those that are `allowed`, now or before.
        """
        if not _NAME.fullmatch(name):
            raise SettingsError(f"{name!r} is no name of a history: write area/scenario, in a-z, 0-9, dots and dashes.")
        newest = self.newest(name)
        id_ = f"{name}.v{newest.generation + 1 if newest else 0}"
        path = self.folder / f"{id_}.json"
        allowed = tuple(sorted({*allowed, *((newest and newest.allowed) or ())}))
        if told := telling(history.scrubbed().as_json(), allowed=allowed):
            raise SettingsError(
                f"{id_} is not kept. It tells {'; '.join(told)}. "
                "Have something else said there, or allow the text if it tells of no machine (`record --allow TEXT`)."
            )
        try:
            history.write(path)
        except FileExistsError as error:
            raise SettingsError(f"{path} is there, and the manifest does not list it: move it away.") from error
        except OSError as error:
            raise SettingsError(f"{path} cannot be written: {error.strerror}.") from error
        stored = RecordedHistory.read(path)
        path.with_suffix(".txt").write_text(digest(stored), encoding="utf-8")
        entry = Entry(
            id=id_,
            workflow=stored.workflow_type,
            why=why,
            expect=expect,
            events=len(stored.events),
            sha256=_sha256(path),
            versions=dict(_versions()),
            allowed=allowed or None,
        )
        self._write([*self.entries(), entry])
        return entry

    def remove(self, entry: Entry) -> None:
        """Forget a history that is to be recorded anew, with its files."""
        self._write(other for other in self.entries() if other.id != entry.id)
        for path in (self.path(entry), self.path(entry).with_suffix(".txt")):
            path.unlink(missing_ok=True)

    def change(self, entry: Entry) -> None:
        """Put an entry in the place of the one with its id."""
        self._write(entry if other.id == entry.id else other for other in self.entries())

    def problems(self) -> list[str]:
        """Return, in words, where folder and manifest do not agree, and what a file tells that it should not."""
        entries = self.entries()
        listed = Counter(entry.id for entry in entries)
        stored = {path.relative_to(self.folder).with_suffix("").as_posix() for path in self.folder.rglob("*.json")}
        digests = {path.relative_to(self.folder).with_suffix("").as_posix() for path in self.folder.rglob("*.txt")}
        return [
            *(f"{id_}.json is not in the manifest" for id_ in sorted(stored - listed.keys())),
            *(f"{id_}.txt belongs to no history" for id_ in sorted(digests - listed.keys())),
            *(f"{id_} is listed {times} times" for id_, times in listed.items() if times > 1),
            *(f"{id_}.json is missing" for id_ in sorted(listed.keys() - stored)),
            *(problem for entry in entries if entry.id in stored for problem in self._problems_of(entry)),
        ]

    def _problems_of(self, entry: Entry) -> Iterable[str]:
        path = self.path(entry)
        if _sha256(path) != entry.sha256:
            yield f"{entry.id}.json was edited: its checksum is not that of the manifest"
            return
        history = self.read(entry)
        if (len(history.events), history.workflow_type) != (entry.events, entry.workflow):
            yield f"{entry.id}: the manifest has another workflow or another number of events"
        beside = path.with_suffix(".txt")
        if not beside.exists():
            yield f"{entry.id}.txt is missing, its digest"
        elif beside.read_text(encoding="utf-8") != digest(history):
            yield f"{entry.id}.txt is not the digest of its history"
        for words in telling(history.as_json(), allowed=entry.allowed or ()):
            yield f"{entry.id}.json tells {words}"

    def _write(self, entries: Iterable[Entry]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        listed: list[dict[str, Any]] = [
            entry.model_dump(mode="json", exclude_none=True) for entry in sorted(entries, key=lambda entry: entry.id)
        ]
        (self.folder / MANIFEST).write_text(tomli_w.dumps({"history": listed}), encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _versions() -> Iterable[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
