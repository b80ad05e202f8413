"""The recorder writes what is missing, and nothing else."""

from pathlib import Path

import pytest

from tests.replay import record


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    return tmp_path


def test_everything_that_is_missing_is_recorded_when_nothing_is_named(folder: Path) -> None:
    """And nothing where all are there, as in this repository. (ours)"""
    everything = record.missing()
    (folder / "chat").mkdir()
    (folder / "chat" / "one-turn.v0.json").touch()

    assert everything - record.missing() == {"chat/one-turn"}


def test_a_history_that_is_there_is_not_recorded_again(folder: Path) -> None:
    """Whoever asks for it is told, before any server starts. (ours)"""
    (folder / "chat").mkdir()
    (folder / "chat" / "one-turn.v0.json").touch()

    with pytest.raises(SystemExit, match="chat/one-turn already: raise the generation"):
        record.missing(["chat/one-turn", "chat/local-tool"])


@pytest.mark.parametrize("wanted", [["chat/one-turn"], []])
def test_an_entry_whose_file_is_gone_is_not_listed_a_second_time(folder: Path, wanted: list[str]) -> None:
    """It goes together with its file. (ours)"""
    (folder / "manifest.toml").write_text('[[history]]\nid = "chat/one-turn.v0"\n')

    with pytest.raises(SystemExit, match="chat/one-turn already"):
        record.missing(wanted)


def test_a_name_that_no_scenario_has_is_refused() -> None:
    """With the names that there are. (ours)"""
    with pytest.raises(SystemExit, match=r"No scenario records chat/none. There are: .*chat/one-turn"):
        record.missing(["chat/none"])


def test_the_histories_of_this_repository_are_all_there() -> None:
    """Nothing is left to record. (ours)"""
    assert record.missing() == set()
