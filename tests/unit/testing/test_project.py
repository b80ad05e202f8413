"""What a project says of itself, in `pyproject.toml`."""

from pathlib import Path

import pytest

from durable_loop.errors import SettingsError
from durable_loop.testing.project import OWN_AGENTS, Project


def test_a_folder_that_says_nothing_is_about_our_own_agents(tmp_path: Path) -> None:
    """With or without a pyproject.toml. (ours)"""
    assert Project.read(tmp_path) == Project(OWN_AGENTS, tmp_path / "fixtures/histories", None)
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    Project.read(tmp_path).may_record_anew()


def test_a_project_names_its_agents_and_its_folder(tmp_path: Path) -> None:
    """And its version, from which on histories are only added to. (ours)"""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nversion = "0.1.0"\n[tool.durable-loop]\nagents = ["trips:AGENT"]\nhistories = "kept"\n'
    )

    project = Project.read(tmp_path)

    assert (list(project.agents), project.histories) == (["trips:AGENT"], tmp_path / "kept")
    with pytest.raises(SettingsError, match=r"From version 0\.1\.0 on histories are only added to"):
        project.may_record_anew()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[tool.durable-loop]\nagent = "x"\n', r"takes agents and histories\. agent: Extra inputs"),
        ("[tool.durable-loop]\nagents = 3\n", "agents: Input should be a valid list"),
        ('[tool.durable-loop]\nagents = "trips:AGENT"\n', "agents: Input should be a valid list"),
        ("[tool.durable-loop]\nagents = []\n", r"agents in \[tool\.durable-loop\] is empty\. Name one, package"),
        (
            "[tool]\ndurable-loop = 3\n",
            r"tool\.durable-loop is no table: write \[tool\.durable-loop\]\.",
        ),
        ("tool = 3\n", r"pyproject\.toml: tool is no table: write \[tool\."),
        ("project = 3\n", r"pyproject\.toml: project is no table: write \[project\]\."),
        ("[tool]\npytest = 3\n", r"pyproject\.toml: tool\.pytest is no table: write \[tool\.pytest\]\."),
        ("[tool", "pyproject.toml: "),
        ('[project]\nversion = "one"\n', "Invalid version"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str, words: str) -> None:
    """In a sentence, with the file. (ours)"""
    (tmp_path / "pyproject.toml").write_text(content)

    with pytest.raises(SettingsError, match=words):
        Project.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[project]\nname = "pytest"\ndynamic = ["version"]\n', r"From version 0\.1\.0 on histories are only added to"),
        ('[project]\nname = "not-installed"\ndynamic = ["version"]\n', r"is dynamic, and the project is not installed"),
        ('[tool.poetry]\nversion = "2.0"\n', r"From version 0\.1\.0 on histories are only added to"),
    ],
)
def test_a_version_that_is_elsewhere_counts_as_well(tmp_path: Path, content: str, words: str) -> None:
    """A dynamic one is that of the installed project, and where that is missing nothing is thrown away. (ours)"""
    (tmp_path / "pyproject.toml").write_text(content)

    with pytest.raises(SettingsError, match=words):
        Project.read(tmp_path).may_record_anew()


@pytest.mark.parametrize(
    "content",
    [
        '[tool.pytest.ini_options]\npythonpath = ["src", "lib"]\n',
        '[tool.pytest.ini_options]\npythonpath = "src lib"\n',
        '[tool.pytest]\npythonpath = ["src", "lib"]\n',
    ],
)
def test_modules_are_found_where_pytest_finds_them(tmp_path: Path, content: str) -> None:
    """So that a command imports the agent that pytest imports. (ours)"""
    (tmp_path / "pyproject.toml").write_text(content)

    assert Project.read(tmp_path).pythonpath == (tmp_path / "src", tmp_path / "lib")
