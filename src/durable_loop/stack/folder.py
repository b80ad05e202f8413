"""The one folder that holds everything the stack writes."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from durable_loop.errors import SettingsError

__all__ = ["StackFolder"]

# In bytes: what the server's file has before anything was said, and some more.
ROOM_NEEDED: Final = 10_000_000


@dataclass(frozen=True)
class StackFolder:
    """Names the files below the data folder."""

    root: Path

    @property
    def state(self) -> Path:
        """How to reach the running stack."""
        return self.root / "stack.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for its whole life."""
        return self.root / "stack.lock"

    @property
    def database(self) -> Path:
        """Every chat: the dev server's file."""
        return self.root / "temporal.db"

    @property
    def typed(self) -> Path:
        """What the user typed at the prompt, for the arrow keys."""
        return self.root / "input-history"

    def log(self, name: str) -> Path:
        """Where a part's stderr goes."""
        return self.root / "logs" / f"{name}.log"

    def create(self) -> None:
        """Make the folder, for its owner alone.

        Raises:
            SettingsError: it cannot be made or written to, or its disk is full.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.root / "logs").mkdir(mode=0o700, exist_ok=True)
            self.lock.touch()
            free = shutil.disk_usage(self.root).free
        except OSError as error:
            raise SettingsError(
                f"The data folder {self.root} cannot be written to ({error.strerror}): set DURABLE_LOOP_DATA_DIR."
            ) from error
        if free < ROOM_NEEDED:
            raise SettingsError(
                f"The data folder {self.root} has {free // 1_000_000} MB left, and chats need "
                f"{ROOM_NEEDED // 1_000_000}: make room, or set DURABLE_LOOP_DATA_DIR."
            )
