"""What the project under test says of itself, for the pytest plugin and the command alike.

[tool.durable-loop]
agents = ["trips.harness:AGENT"]        # DurableAgents; by default our own chat and the workflows behind its tools
histories = "tests/histories"          # by default fixtures/histories
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

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
    """Where its agents are, and where its histories are stored."""

    agents: Sequence[str] = OWN_AGENTS
    histories: Path = Path(HISTORIES)
    version: Version | None = None

    @property
    def is_released(self) -> bool:
        """Whether somebody may have chats that an older version has begun."""
        return self.version is not None and self.version >= FIRST_RELEASE

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `pyproject.toml` in a folder, where there is one.

        Raises:
            SettingsError: the table has something that is not known, or the file is no TOML.
        """
        path = folder / "pyproject.toml"
        try:
            content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            written = content.get("project", {}).get("version")
            version = Version(written) if written else None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, InvalidVersion) as error:
            raise SettingsError(f"{path}: {error}") from error
        try:
            table = _Table.model_validate(content.get("tool", {}).get("durable-loop", {}))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise SettingsError(
                f"{path}: [tool.durable-loop] takes {' and '.join(_Table.model_fields)}. {wrong}."
            ) from error
        return cls(agents=tuple(table.agents), histories=folder / table.histories, version=version)
