"""What a project says of itself, in `pyproject.toml`."""

from pathlib import Path

import pytest

from durable_loop.errors import SettingsError
from durable_loop.testing.project import OWN_AGENTS, Project


def test_a_folder_that_says_nothing_is_about_our_own_agents(tmp_path: Path) -> None:
    """With or without a pyproject.toml. (ours)"""
    assert Project.read(tmp_path) == Project(OWN_AGENTS, tmp_path / "fixtures/histories", None)
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    assert not Project.read(tmp_path).is_released


def test_a_project_names_its_agents_and_its_folder(tmp_path: Path) -> None:
    """And its version, from which on histories are only added to. (ours)"""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nversion = "0.1.0"\n[tool.durable-loop]\nagents = ["trips:AGENT"]\nhistories = "kept"\n'
    )

    project = Project.read(tmp_path)

    assert (list(project.agents), project.histories) == (["trips:AGENT"], tmp_path / "kept")
    assert project.is_released


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[tool.durable-loop]\nagent = "x"\n', r"takes agents and histories\. agent: Extra inputs"),
        ("[tool.durable-loop]\nagents = 3\n", "agents: Input should be a valid list"),
        ('[tool.durable-loop]\nagents = "trips:AGENT"\n', "agents: Input should be a valid list"),
        ("[tool", "pyproject.toml: "),
        ('[project]\nversion = "one"\n', "Invalid version"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str, words: str) -> None:
    """In a sentence, with the file. (ours)"""
    (tmp_path / "pyproject.toml").write_text(content)

    with pytest.raises(SettingsError, match=words):
        Project.read(tmp_path)
