"""Stored histories are there whole or not at all, whoever else writes, and whatever becomes of the writer."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from durable_loop.errors import SettingsError
from durable_loop.testing import HistoryStore, RecordedHistory, Scenarios
from tests.unit.testing.histories.samples import history

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> HistoryStore:
    store = HistoryStore(tmp_path / "histories")
    store.keep("chat/first", history("it/session"), why="It has a tool.")
    return store


@pytest.fixture(name="killed")
def _killed(
    tmp_path: Path, store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Iterator[HistoryStore]]:
    """Give a store as a kill leaves it, for each step of what the test has written so far."""
    snapshots = tmp_path / "killed"

    def after_a_copy(step: Callable[..., object]) -> Callable[..., object]:
        def stepping(*arguments: object, **options: object) -> object:
            shutil.copytree(store.folder, snapshots / f"{len(list(tmp_path.glob('killed/*'))):02}")
            return step(*arguments, **options)

        return stepping

    for place, name in ((os, "replace"), (Path, "write_text"), (Path, "unlink"), (RecordedHistory, "write")):
        monkeypatch.setattr(place, name, after_a_copy(getattr(place, name)))

    def all_of_them() -> Iterator[HistoryStore]:
        monkeypatch.undo()
        return (HistoryStore(folder) for folder in sorted(snapshots.iterdir()))

    return all_of_them


def test_what_several_processes_record_at_once_is_all_listed(store: HistoryStore) -> None:
    """`pytest -n`, for one: a writer waits for the other. (ours)"""
    names = [f"chat/number-{number}" for number in range(16)]

    def record(name: str) -> None:
        HistoryStore(store.folder).keep(name, history("it/session"), why="x")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, names))

    assert {entry.name for entry in store.entries()} == {"chat/first", *names}
    assert store.problems() == []
    assert not list(store.folder.rglob(".*"))


def test_a_recording_that_is_killed_can_be_made_again(
    store: HistoryStore, killed: Callable[[], Iterator[HistoryStore]]
) -> None:
    """At every step: the old state or the new one, and at worst a file that the next writer takes away. (ours)"""
    store.keep("chat/second", history("it/jira-metrics"), why="x")

    for left in killed():
        assert all("chat/second" in problem for problem in left.problems())
        if left.newest("chat/second") is None:
            left.keep("chat/second", history("finance/roi"), why="Another run of it.")
        assert [entry.id for entry in left.entries()] == ["chat/first.v0", "chat/second.v0"]
        assert left.problems() == []


def test_one_that_is_recorded_anew_is_there_all_the_time(
    store: HistoryStore, killed: Callable[[], Iterator[HistoryStore]]
) -> None:
    """The old one until the new one is whole, whenever the writer is killed. (ours)"""
    old, new = store.entry("chat/first"), store.keep("chat/first", history("it/jira-metrics"), why="x", anew=True)

    assert new.id == old.id
    for left in killed():
        left.keep("chat/other", history("it/session"), why="The next writer settles it.")
        assert left.entry("chat/first") in (old, new)
        assert left.problems() == []


def test_a_full_disk_takes_nothing_that_was_there(store: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is told in a line: what, where, and what to do. (ours)"""
    entries = store.entries()

    def write(_: RecordedHistory, path: Path) -> None:
        path.touch()
        raise FULL

    with monkeypatch.context() as patched:
        patched.setattr(RecordedHistory, "write", write)
        for anew in (True, False):
            scenarios = Scenarios(store, refresh=["chat/first"], anew=anew)
            scenarios.match("chat/first", history("it/jira-metrics"), why="x")
            with pytest.raises(SettingsError) as told:
                scenarios.keep()
            assert str(told.value) == (
                f"{store.folder} cannot be written: No space left on device. Make room on that disk."
            )

    assert (store.entries(), store.problems()) == (entries, [])
    assert not list(store.folder.rglob(".*"))


@pytest.mark.parametrize("step", ["replace", "write_text"])
def test_what_cannot_be_written_is_told_and_leaves_all_as_it_was(
    store: HistoryStore, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is for reading, for one. (ours)"""
    entry = store.entry("chat/first")

    def fails(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "the/file")

    for write in (
        lambda: store.keep("chat/new", history("it/session"), why="x"),
        lambda: store.keep("chat/first", history("it/jira-metrics"), why="x", anew=True),
        lambda: store.change(entry.model_copy(update={"why": "y"})),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(os if step == "replace" else Path, step, fails)
            with pytest.raises(
                SettingsError, match=r"^the/file cannot be written: Permission denied\. Make it writable"
            ):
                write()
        assert (store.entries(), store.problems()) == ([entry], [])


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """There is a file, where it should be. (ours)"""
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"file cannot be written: File exists\."):
        HistoryStore(tmp_path / "file").keep("chat/first", history("it/session"), why="x")
