"""What the project under test says of itself, for the pytest plugin and the command alike.

[tool.durable-loop]
agents = ["trips.harness:AGENT"]        # DurableAgents; by default our own chat and the workflows behind its tools
histories = "tests/histories"          # by default fixtures/histories
"""

import importlib.metadata
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, ValidationError

from durable_loop.errors import SettingsError
from durable_loop.testing.layout import HISTORIES

__all__ = ["OWN_AGENTS", "Project"]

OWN_AGENTS: Final = ("durable_loop.testing.own_agent:CHAT", "durable_loop.testing.own_agent:SERVICES")
# From here on recorded histories are only added to.
FIRST_RELEASE: Final = Version("0.1.0")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    agents: list[str] = list(OWN_AGENTS)
    histories: str = HISTORIES


@dataclass(frozen=True)
class Project:
    """Where its agents are, and where its histories are stored.

    `pythonpath` is pytest's, as far as it stands in `pyproject.toml`: folders in which it finds modules. A dynamic
    version of a project that is not installed is not known.
    """

    agents: Sequence[str] = OWN_AGENTS
    histories: Path = Path(HISTORIES)
    version: Version | None = None
    is_version_known: bool = True
    pythonpath: Sequence[Path] = ()

    def may_record_anew(self) -> None:
        """Pass where nobody can have chats that an older version has begun.

        Raises:
            SettingsError: somebody may.
        """
        if not self.is_version_known:
            raise SettingsError(
                "The version of this project is dynamic, and the project is not installed: whether it is before "
                f"{FIRST_RELEASE} cannot be told. Install it (pip install -e .), or leave --anew out."
            )
        if self.version is not None and self.version >= FIRST_RELEASE:
            raise SettingsError(f"From version {FIRST_RELEASE} on histories are only added to: leave --anew out.")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `pyproject.toml` in a folder, where there is one.

        Raises:
            SettingsError: the table has something that is not known, or the file is no TOML.
        """
        path = folder / "pyproject.toml"
        try:
            content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            version, is_version_known = _version(content)
            table = _Table.model_validate(_table_at(content, "tool", "durable-loop"))
            pythonpath = _pythonpath(content)
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise SettingsError(
                f"{path}: [tool.durable-loop] takes {' and '.join(_Table.model_fields)}. {wrong}."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, InvalidVersion, _NoTableError) as error:
            raise SettingsError(f"{path}: {error}") from error
        if not table.agents:
            raise SettingsError(
                f"{path}: agents in [tool.durable-loop] is empty. Name one, package.module:NAME, or take the line out."
            )
        return cls(
            agents=tuple(table.agents),
            histories=folder / table.histories,
            version=version,
            is_version_known=is_version_known,
            pythonpath=tuple(folder / each for each in pythonpath),
        )


class _NoTableError(ValueError):
    """Something else stands where a table belongs."""


def _table_at(content: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a table within another; an empty one where there is none."""
    table = content
    for place, name in enumerate(names, start=1):
        inner: Any = table.get(name, {})
        if not isinstance(inner, dict):
            raise _NoTableError(f"{'.'.join(names[:place])} is no table: write [{'.'.join(names)}].")
        table = cast("Mapping[str, Any]", inner)
    return table


def _version(content: Mapping[str, Any]) -> tuple[Version | None, bool]:
    """Return the version, if there is one, and whether that is known."""
    project = _table_at(content, "project")
    if "version" not in project.get("dynamic", ()):
        written = project.get("version") or _table_at(content, "tool", "poetry").get("version")
        return (Version(written) if written else None), True
    try:
        return Version(importlib.metadata.version(project["name"])), True
    except (importlib.metadata.PackageNotFoundError, KeyError):
        return None, False


def _pythonpath(content: Mapping[str, Any]) -> Sequence[str]:
    """Return what pytest is told: a list, or words in a string; its table may also be `[tool.pytest]` alone."""
    of_pytest = _table_at(content, "tool", "pytest")
    paths: object = (_table_at(content, "tool", "pytest", "ini_options") or of_pytest).get("pythonpath", ())
    return paths.split() if isinstance(paths, str) else [str(path) for path in cast("Sequence[object]", paths)]
