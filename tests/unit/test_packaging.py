"""The files that say what is installed and what can be set agree with each other and with the code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from durable_loop.settings import Settings
from tests.requirements import requirement

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = "".join((ROOT / name).read_text() for name in ("requirements.lock", "requirements-mutation.lock"))


def pins() -> dict[str, str]:
    """Return what the locks pin."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", LOCK, re.MULTILINE))


def constraints() -> dict[NormalizedName, str]:
    """Return what `[tool.uv]` pins for a checkout."""
    found = [Requirement(line) for line in PROJECT["tool"]["uv"]["constraint-dependencies"]]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in found}


def direct() -> set[NormalizedName]:
    """Return every distribution that the project names itself."""
    groups = [line for group in PROJECT["dependency-groups"].values() for line in group if isinstance(line, str)]
    extras = [line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra]
    named = [Requirement(line).name for line in [*PROJECT["project"]["dependencies"], *extras, *groups]]
    return {canonicalize_name(name) for name in named} - {"durable-loop"}


def test_every_direct_dependency_is_pinned_and_the_lock_has_the_same_version() -> None:
    """A checkout, tox and CI install the same versions. (ours)"""
    built_with = {"hatchling"}

    assert direct() == constraints().keys() - built_with
    assert {name: pins()[name] for name in direct()} == {name: constraints()[name] for name in direct()}


@requirement("security.packages")
def test_the_lock_has_hashes_and_names_no_registry() -> None:
    """It installs from any registry that has the same files. (ours)"""
    assert LOCK.count("==") <= LOCK.count("--hash=sha256:")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", LOCK)


@requirement("security.packages")
def test_litellm_is_an_extra_and_its_malicious_releases_are_excluded() -> None:
    """A plain pip can resolve the wheel without it. (ours)"""
    assert not any(line.startswith("litellm") for line in PROJECT["project"]["dependencies"])
    (litellm,) = (Requirement(line) for line in PROJECT["project"]["optional-dependencies"]["models"])
    assert not litellm.specifier.contains("1.82.7")
    assert not litellm.specifier.contains("1.82.8")


@requirement("settings.documented")
def test_the_example_file_lists_every_setting_with_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uncommenting a line of `.env.example` that has a value changes nothing. (ours)"""
    example = (ROOT / ".env.example").read_text()
    variables = {
        name: str(field.validation_alias or f"DURABLE_LOOP_{name.upper()}")
        for name, field in Settings.model_fields.items()
    }
    uncommented = tmp_path / "all.env"
    uncommented.write_text(
        "\n".join(re.findall(r"^# ((?:DURABLE_LOOP_)[A-Z_]+=.+)$", example, re.MULTILINE)),
    )

    assert [variable for variable in variables.values() if f"# {variable}=" not in example] == []
    defaults = Settings()
    for variable, value in dotenv_values(uncommented).items():
        monkeypatch.setenv(variable, value or "")
    assert Settings() == defaults
