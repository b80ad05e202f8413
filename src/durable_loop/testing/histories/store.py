"""The folder of stored histories, and its manifest.

    fixtures/histories/chat/one-turn.v0.json   what Temporal kept of a real run, scrubbed
    fixtures/histories/chat/one-turn.v0.txt    the same in one line an event, for people
    fixtures/histories/manifest.toml           why each is there, what to expect of it, and its checksum

A name is `area/scenario`; each of its generations is an entry, `area/scenario.v0`.

Writers come one after the other. A new history is written whole beside its place, with the manifest that lists it last;
then follow renames alone. A writer that is killed among these leaves its manifest, by which the next one settles it.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from durable_loop.errors import SettingsError
from durable_loop.testing.histories.digest import digest
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.manifest import (
    NAME,
    AcceptedDrift,
    Entry,
    Expectation,
    as_toml,
    entries_in,
    stated,
)
from durable_loop.testing.histories.scrubbing import telling
from durable_loop.testing.histories.writing import locked, put, staged
from durable_loop.testing.layout import MANIFEST

__all__ = ["AcceptedDrift", "Entry", "Expectation", "HistoryStore"]

PACKAGES: Final = ("temporalio", "temporalio-openai-agents", "openai-agents", "mcp", "pydantic")


class HistoryStore:
    """Stored histories in a folder; it need not be there yet.

    Methods raise SettingsError where the manifest cannot be read, where something cannot be written, or where a name,
    an id or a reason is none. Processes may write at the same time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[Entry]:
        """Return what the manifest lists, in its order."""
        return entries_in(self._manifest)

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
        anew: bool = False,
    ) -> Entry:
        """Store a history as the next generation of its scenario; a file that is there is not overwritten.

        Refused is one that tells of the machine in a text, but for those that are `allowed`, now or before. `anew`: in
        the place of the newest generation, which is there until the new one is.
        """
        why = stated(why)
        with locked(self.folder):
            self._settle()
            id_ = self.next_id(name, history, allowed=allowed, anew=anew)
            path = self.folder / f"{id_}.json"
            others = [entry for entry in self.entries() if entry.id != id_]
            try:
                history.write(staged(path))
                stored = RecordedHistory.read(staged(path))
                entry = Entry(
                    id=id_,
                    workflow=stored.workflow_type,
                    why=why,
                    expect=expect,
                    events=len(stored.events),
                    sha256=_sha256(staged(path)),
                    versions=dict(_versions()),
                    allowed=self._allowed(name, allowed) or None,
                )
                self._write_digest(path, stored)
                self._write([*others, entry], put_first=(path, path.with_suffix(".txt")))
            finally:
                self._settle()
        return entry

    def next_id(self, name: str, history: RecordedHistory, *, allowed: Collection[str] = (), anew: bool = False) -> str:
        """Return the id that `keep` would give a history, and refuse what it refuses; nothing is written."""
        if not re.fullmatch(NAME, name):
            raise SettingsError(f"{name!r} is no name of a history: write area/scenario, in a-z, 0-9, dots and dashes.")
        newest = self.newest(name)
        id_ = newest.id if newest and anew else f"{name}.v{newest.generation + 1 if newest else 0}"
        path = self.folder / f"{id_}.json"
        if path.exists() and not (newest and anew):
            raise SettingsError(f"{path} is there, and the manifest does not list it: move it away.")
        if told := telling(history.scrubbed().as_json(), allowed=self._allowed(name, allowed)):
            raise SettingsError(
                f"{id_} is not kept. It tells {'; '.join(told)}. Have something else said there, or allow the text "
                "if it tells of no machine (`record --allow TEXT`)."
            )
        return id_

    def change(self, entry: Entry) -> None:
        """Put an entry in the place of the one with its id."""
        with locked(self.folder):
            self._settle()
            self._write(entry if other.id == entry.id else other for other in self.entries())

    def problems(self) -> list[str]:
        """Return, in words, where folder and manifest do not agree, and what a file tells that it should not."""
        if not self._problems():
            return []
        try:
            with locked(self.folder):  # a writer may be half way
                return self._problems()
        except SettingsError:
            return self._problems()  # a folder that is for reading has no writers

    def _problems(self) -> list[str]:
        entries = self.entries()
        listed = Counter(entry.id for entry in entries)
        stored = {path.relative_to(self.folder).with_suffix("").as_posix() for path in self.folder.rglob("*.json")}
        digests = {path.relative_to(self.folder).with_suffix("").as_posix() for path in self.folder.rglob("*.txt")}
        return [
            *([f"{MANIFEST} is missing, and there are histories"] if stored and not self._manifest.exists() else []),
            *(f"{id_}.json is not in the manifest" for id_ in sorted(stored - listed.keys())),
            *(f"{id_}.txt belongs to no history" for id_ in sorted(digests - listed.keys())),
            *(f"{id_} is listed {times} times" for id_, times in listed.items() if times > 1),
            *(f"{id_}.json is missing" for id_ in sorted(listed.keys() - stored)),
            *(problem for id_, problem in _gaps(entries) if id_ not in stored),
            *(problem for entry in entries if entry.id in stored for problem in self._problems_of(entry)),
        ]

    def _problems_of(self, entry: Entry) -> Iterable[str]:
        path = self.path(entry)
        try:
            history = self.read(entry)
        except SettingsError as error:
            yield str(error)
            return
        if _sha256(path) != entry.sha256:
            yield f"{entry.id}.json was edited: its checksum is not that of the manifest"
            return
        if (len(history.events), history.workflow_type) != (entry.events, entry.workflow):
            yield f"{entry.id}: the manifest has another workflow or another number of events"
        try:
            # What is no UTF-8 differs in any case.
            if path.with_suffix(".txt").read_text(encoding="utf-8", errors="replace") != digest(history):
                yield f"{entry.id}.txt is not the digest of its history"
        except FileNotFoundError:
            yield f"{entry.id}.txt is missing, its digest"
        except OSError as error:
            yield f"{entry.id}.txt, its digest, cannot be read: {error.strerror}"
        for words in telling(history.as_json(), allowed=entry.allowed or ()):
            yield f"{entry.id}.json tells {words}"

    def _allowed(self, name: str, allowed: Collection[str]) -> tuple[str, ...]:
        newest = self.newest(name)
        return tuple(sorted({*allowed, *((newest and newest.allowed) or ())}))

    @property
    def _manifest(self) -> Path:
        return self.folder / MANIFEST

    def _write_digest(self, path: Path, history: RecordedHistory) -> None:
        staged(path.with_suffix(".txt")).write_text(digest(history), encoding="utf-8")

    def _write(self, entries: Iterable[Entry], *, put_first: Iterable[Path] = ()) -> None:
        """Write a manifest, and put what it lists into place before it."""
        staged(self._manifest).write_text(as_toml(entries), encoding="utf-8")
        for path in (*put_first, self._manifest):
            put(path)

    def _settle(self) -> None:
        """Take back the new history of a writer that broke off; list one that has already the place of an older."""
        try:
            begun = entries_in(staged(self._manifest))
        except SettingsError:
            begun = []  # it broke off as it wrote this: nothing was put anywhere
        entries = {entry.id: entry for entry in self.entries()}
        for entry in begun:
            listed, path = entries.get(entry.id), self.path(entry)
            if (listed and listed.sha256 == entry.sha256) or not path.exists() or _sha256(path) != entry.sha256:
                continue
            if listed is None:
                path.unlink()
                path.with_suffix(".txt").unlink(missing_ok=True)
            else:
                self._write_digest(path, self.read(entry))
                self._write({**entries, entry.id: entry}.values(), put_first=[path.with_suffix(".txt")])
        for pattern in ("*.json", "*.txt", MANIFEST):
            for path in self.folder.rglob(staged(Path(pattern)).name):
                path.unlink(missing_ok=True)


def _gaps(entries: Iterable[Entry]) -> Iterable[tuple[str, str]]:
    """Yield the ids of generations that are not listed, though a later one is; each with a sentence.

    That the newest one was taken away nobody can tell.
    """
    newest = {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.generation)}
    there = {entry.id for entry in entries}
    for name, last in sorted(newest.items()):
        for id_ in (f"{name}.v{number}" for number in range(last.generation)):
            if id_ not in there:
                yield id_, f"{id_} is not there, though {last.id} is: histories are only added to, bring it back"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _versions() -> Mapping[str, str]:
    found = dict[str, str]()
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
