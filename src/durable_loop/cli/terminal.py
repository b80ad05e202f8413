"""What the terminal can show, as it says itself."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

__all__ = ["Look"]


@dataclass(frozen=True)
class Look:
    """How wide it is, and whether it knows escape sequences and colours."""

    columns: int
    plain: bool
    colours: bool

    @classmethod
    def now(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the look of this moment: a window may have another size each time."""
        plain = environ.get("TERM", "") in {"", "dumb", "unknown"}
        return cls(
            columns=max(20, shutil.get_terminal_size().columns),
            plain=plain,
            colours=not plain and not environ.get("NO_COLOR"),
        )

    def dim(self, line: str) -> str:
        """Return a line that is beside the point, as this terminal shows one."""
        return line if self.plain else f"\x1b[2m{line}\x1b[0m"
