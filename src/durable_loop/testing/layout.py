"""Where a project under test has its histories, for what must import nothing heavy: every run of pytest asks."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

__all__ = ["HISTORIES", "MANIFEST", "Layout"]

# Where histories are, unless pyproject.toml says it.
HISTORIES: Final = "fixtures/histories"
# The list of stored histories, in their folder.
MANIFEST: Final = "manifest.toml"


@dataclass(frozen=True)
class Layout:
    """The folder of the stored histories; `is_said` where pyproject.toml has a table of ours."""

    histories: Path
    is_said: bool

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read no more than is needed; what is wrong in the table is told by `Project`, to whoever uses it."""
        try:
            tool: Mapping[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
            table: Mapping[str, Any] = tool["durable-loop"]
            return cls(Path(root, table.get("histories", HISTORIES)).resolve(), is_said=True)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return cls(Path(root, HISTORIES).resolve(), is_said=False)

    def first(self) -> Path | None:
        """Return the manifest, or the first history where that is missing; None where nothing is stored.

        Where nobody said that these are histories of ours, files without a manifest are somebody else's.
        """
        manifest = self.histories / MANIFEST
        if manifest.exists():
            return manifest
        return min(self.histories.rglob("*.json"), default=None) if self.is_said else None
