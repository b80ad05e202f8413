"""The folder of stored histories and its manifest agree, or it is said where they do not."""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from durable_loop.errors import SettingsError
from durable_loop.testing import Expectation, HistoryStore, Scenarios, digest
from durable_loop.testing.histories import scrubbing
from durable_loop.testing.histories.manifest import as_toml
from durable_loop.testing.histories.store import AcceptedDrift
from durable_loop.testing.histories.writing import locked
from tests.requirements import requirement
from tests.unit.testing.histories.samples import changed, encoded, history

# A short one: it is written and read many times.
SMALL = "it/session"


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> HistoryStore:
    store = HistoryStore(tmp_path / "histories")
    store.keep("chat/first", history(SMALL), why="It has a tool.")
    return store


def test_a_history_is_kept_with_its_digest_and_its_entry(store: HistoryStore) -> None:
    """All that is needed to review it, and to notice that it was edited. (ours)"""
    entry = store.entry("chat/first")

    assert store.problems() == []
    assert (entry.id, entry.name, entry.generation) == ("chat/first.v0", "chat/first", 0)
    assert (entry.workflow, entry.events) == ("ItSessionWorkflow", len(history(SMALL).events))
    assert entry.versions["temporalio"]
    assert "workflow execution signaled set_jira_project" in store.path(entry).with_suffix(".txt").read_text()
    assert store.read(entry).as_json() == history(SMALL).as_json()


def test_a_scenario_gets_generations_and_what_is_stored_stays(store: HistoryStore) -> None:
    """The newest is what a fresh run is compared with. (ours)"""
    before = store.path(store.entry("chat/first")).read_bytes()

    kept = store.keep("chat/first", history("it/jira-metrics"), why="It changed.", expect=Expectation.NONDETERMINISM)

    assert kept.id == "chat/first.v1"
    assert store.newest("chat/first") == kept == store.entry("chat/first")
    assert store.path(store.entry("chat/first.v0")).read_bytes() == before
    assert store.problems() == []


@requirement("harness.store")
def test_a_generation_that_was_taken_away_is_named(store: HistoryStore) -> None:
    """With its files and its entry; a file that is there still is told as one without an entry. (ours)"""
    for number in range(1, 4):
        store.keep("chat/first", history(SMALL), why=f"Change {number}.")
    first, second, third, last = store.entries()
    manifest = store.folder / "manifest.toml"
    manifest.write_text(as_toml([second, last]))
    for entry in (first, third):
        store.path(entry).with_suffix(".txt").unlink()
    store.path(first).unlink()

    assert store.problems() == [
        "chat/first.v2.json is not in the manifest",
        "chat/first.v0 is not there, though chat/first.v3 is: histories are only added to, bring it back",
    ]


@pytest.mark.parametrize("why", ["", " ", "\n"])
def test_a_history_is_not_kept_without_a_reason(store: HistoryStore, why: str) -> None:
    """Whoever has to decide whether it may go has nothing else. (ours)"""
    with pytest.raises(SettingsError, match=r"^The reason is blank: say why, for whoever comes after you\.$"):
        store.keep("chat/other", history(SMALL), why=why)
    with pytest.raises(SettingsError, match=r"^The reason is blank"):
        Scenarios(store, record=True).match("chat/other", history(SMALL), why=why)
    assert [entry.id for entry in store.entries()] == ["chat/first.v0"]


def test_an_accepted_drift_stands_in_the_manifest(store: HistoryStore) -> None:
    """With its reason, and nothing else changes. (ours)"""
    entry = store.entry("chat/first")
    changed = entry.model_copy(update={"accepted_drift": AcceptedDrift(sha256="abc", why="A better prompt.")})
    store.change(changed)

    assert store.entries() == [changed]
    assert store.problems() == []


@requirement("harness.store")
def test_every_way_in_which_folder_and_manifest_disagree_is_named(store: HistoryStore) -> None:
    """An unlisted file, a missing one, one listed twice, an edited one, a digest that is not its own. (ours)"""
    for name in ("broken", "edited", "encoded", "folder", "gone", "twice", "undigested", "misread"):
        store.keep(f"chat/{name}", history(SMALL), why="x")
    paths = {entry.name: store.path(entry) for entry in store.entries()}
    paths["chat/edited"].write_text(paths["chat/edited"].read_text() + "\n")
    paths["chat/broken"].write_text(paths["chat/broken"].read_text()[:-10])
    paths["chat/gone"].unlink()
    (store.folder / "chat" / "unlisted.v0.json").write_text("{}")
    (store.folder / "chat" / "lonely.txt").write_text("")
    paths["chat/undigested"].with_suffix(".txt").unlink()
    paths["chat/misread"].with_suffix(".txt").write_text("something else")
    paths["chat/encoded"].with_suffix(".txt").write_bytes(b"\xff")
    paths["chat/folder"].with_suffix(".txt").unlink()
    paths["chat/folder"].with_suffix(".txt").mkdir()
    manifest = store.folder / "manifest.toml"
    twice = next(part for part in manifest.read_text().split("[[history]]") if "chat/twice" in part)
    manifest.write_text(f"{manifest.read_text()}\n[[history]]{twice}")

    problems = store.problems()
    (broken,) = (
        problem for problem in problems if problem.startswith(f"{paths['chat/broken']} is no workflow history: JSON")
    )
    assert [problem for problem in problems if problem != broken] == [
        "chat/unlisted.v0.json is not in the manifest",
        "chat/lonely.txt belongs to no history",
        "chat/twice.v0 is listed 2 times",
        "chat/gone.v0.json is missing",
        "chat/edited.v0.json was edited: its checksum is not that of the manifest",
        "chat/encoded.v0.txt is not the digest of its history",
        "chat/folder.v0.txt, its digest, cannot be read: Is a directory",
        "chat/misread.v0.txt is not the digest of its history",
        "chat/undigested.v0.txt is missing, its digest",
    ]


@requirement("security.history-tells-nothing")
def test_a_file_that_tells_of_the_machine_or_a_secret_is_named(store: HistoryStore) -> None:
    """A scrub rule that is wrong, or that came later than the file, fails the check. (ours)"""
    secret = encoded("my key is sk-abcdefghijklmnopqrstuvwx")
    telling = changed(history(SMALL), 1, identity="4711@ada-laptop", input=secret).as_json()
    entry = store.entry("chat/first")
    store.path(entry).unlink()
    # As an older version would have written it, with a checksum that is right.
    store.path(entry).write_text(json.dumps(telling))
    store.path(entry).with_suffix(".txt").write_text(digest(store.read(entry)))
    store.change(entry.model_copy(update={"sha256": hashlib.sha256(store.path(entry).read_bytes()).hexdigest()}))

    assert store.problems() == [
        "chat/first.v0.json tells an API key (event 1)",
        "chat/first.v0.json tells the process that recorded it, 4711@ada-laptop (event 1)",
        "chat/first.v0.json tells 'identity' (event 1)",
    ]


@requirement("security.history-tells-nothing")
def test_what_a_wrong_rule_leaves_in_is_not_kept(store: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check does not believe the scrubbing. (ours)"""
    monkeypatch.setattr(scrubbing, "_without_secrets", lambda text, _field: text)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    telling = changed(history(SMALL), 1, input=encoded("my key is sk-abcdefghijklmnopqrstuvwx"))

    with pytest.raises(SettingsError, match=r"chat/second\.v0 is not kept\. It tells an API key \(event 1\)"):
        store.keep("chat/second", telling, why="It has a key.")
    assert [entry.name for entry in store.entries()] == ["chat/first"]


@requirement("harness.store")
def test_a_folder_without_its_manifest_is_named(store: HistoryStore) -> None:
    """It is not an empty one. (ours)"""
    (store.folder / "manifest.toml").unlink()

    assert store.problems() == [
        "manifest.toml is missing, and there are histories",
        "chat/first.v0.json is not in the manifest",
        "chat/first.v0.txt belongs to no history",
    ]


def test_a_recording_in_another_process_is_no_problem(store: HistoryStore) -> None:
    """Whoever looks meanwhile waits for its end. (ours)"""
    with ThreadPoolExecutor(1) as pool:
        with locked(store.folder):
            manifest = store.folder / "manifest.toml"
            manifest.rename(store.folder / "elsewhere")
            looking = pool.submit(store.problems)
            with pytest.raises(TimeoutError):
                looking.result(timeout=0.2)
            (store.folder / "elsewhere").rename(manifest)
        assert looking.result() == []


@requirement("security.history-tells-nothing")
def test_what_tells_of_the_machine_is_not_kept_but_where_that_is_allowed(store: HistoryStore) -> None:
    """What `keep` takes, `problems` takes as well; a next generation need not say it again. (ours)"""
    served = changed(history(SMALL), 1, input=encoded("Ask http://127.0.0.1:8001/mcp"))

    with pytest.raises(SettingsError) as refused:
        store.keep("chat/served", served, why="x")
    assert str(refused.value) == (
        "chat/served.v0 is not kept. It tells an address of that machine, 127.0.0.1:8001 (event 1). "
        "Have something else said there, or allow the text if it tells of no machine (`record --allow TEXT`)."
    )
    assert [entry.id for entry in store.entries()] == ["chat/first.v0"]
    assert store.problems() == []

    kept = store.keep("chat/served", served, why="x", allowed=["127.0.0.1:8001"])
    again = store.keep("chat/served", served, why="x", allowed=["127.0.0.1:80"])

    assert (kept.allowed, again.allowed) == (("127.0.0.1:8001",), ("127.0.0.1:80", "127.0.0.1:8001"))
    assert store.entry("chat/first").allowed is None
    assert store.problems() == []


def test_a_file_that_nobody_listed_is_not_overwritten(store: HistoryStore) -> None:
    """What was left by a recording that broke off, for one. (ours)"""
    (store.folder / "chat" / "other.v0.json").write_text("{}")

    with pytest.raises(SettingsError, match=r"other\.v0\.json is there, and the manifest does not list it"):
        store.keep("chat/other", history(SMALL), why="x")
    assert (store.folder / "chat" / "other.v0.json").read_text() == "{}"


@pytest.mark.parametrize("name", ["first", "Chat/first", "chat/../first", "/chat/first", "chat/first/", "chat/fi rst"])
def test_a_name_that_is_none_is_refused(store: HistoryStore, name: str) -> None:
    """It becomes a path. (ours)"""
    with pytest.raises(SettingsError, match="is no name of a history: write area/scenario"):
        store.keep(name, history(SMALL), why="x")


def test_what_is_not_there_is_told_with_what_is(store: HistoryStore) -> None:
    """By name or id. (ours)"""
    with pytest.raises(SettingsError, match=r"There is no history chat/none in .*There are: chat/first\.v0\."):
        store.entry("chat/none")


@pytest.mark.parametrize("content", ["[[history]", "[[history]]\nid = 1", "[[history]]\nnew = true", b"\xff"])
def test_a_manifest_that_cannot_be_read_is_told(store: HistoryStore, content: str | bytes) -> None:
    """With its path; nothing is overwritten. (ours)"""
    manifest = store.folder / "manifest.toml"
    manifest.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(SettingsError, match=r"manifest\.toml is no manifest of histories"):
        store.keep("chat/other", history(SMALL), why="x")
    assert manifest.read_bytes() == (content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("^", "x = 1\n", "it has x, which is not known there"),
        ("(?s).*", "history = 3", "it is wrong in history: Input should be a valid list"),
        ("(?s).*", "history = [3]", "entry 1 is no table"),
        ("events =", "event =", "entry chat/first.v0 has no events; entry chat/first.v0 has event, which is not known"),
        ('id = "chat/first.v0"', "", "entry 1 has no id"),
        ('"chat/first.v0"', '"chat/first.vX"', "entry chat/first.vX has an id that is not like area/scenario.v0"),
        ('"chat/first.v0"', '"../first.v0"', "entry ../first.v0 has an id that is not like area/scenario.v0"),
        ('"replays"', '"it replays"', "entry chat/first.v0 is wrong in expect: Input should be 'replays' or 'nond"),
        (
            "events =",
            'accepted_drift = {sha256 = "x"}\nevents =',
            "entry chat/first.v0 has no accepted_drift.why",
        ),
    ],
)
@requirement("harness.store")
def test_what_is_wrong_in_a_manifest_is_told_with_its_entry(
    store: HistoryStore, before: str, after: str, words: str
) -> None:
    """In a sentence: nobody has to know the library that reads it. (ours)"""
    manifest = store.folder / "manifest.toml"
    manifest.write_text(re.sub(before, after, manifest.read_text(), count=1))

    with pytest.raises(SettingsError) as refused:
        store.entries()
    assert str(refused.value).startswith(f"{manifest} is no manifest of histories: {words}")
    assert str(refused.value).endswith(".")
    assert "pydantic" not in str(refused.value)
