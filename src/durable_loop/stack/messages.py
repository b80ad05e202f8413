"""What the supervisor writes into its state file and says over its control connection: one JSON object a line."""

import hmac
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

__all__ = ["Operation", "PartState", "PartStatus", "ProcessRecord", "Request", "StackState", "StackStatus"]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class PartState(StrEnum):
    """A part of the stack, from its start on."""

    WAITING = "waiting"  # for the Temporal server
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # it died; it is started again after a pause


class PartStatus(_Message):
    """One part now."""

    name: str
    state: PartState
    failures: int = 0  # in a row; being ready resets it
    last_error: str = ""
    log: Path


class StackStatus(_Message):
    """The whole stack now; sent to each client at every change."""

    parts: tuple[PartStatus, ...] = ()
    notes: tuple[str, ...] = ()  # what a user should know: other ports, say
    kept: bool = False
    stopping: bool = False
    failure: str = ""  # why it ends, when nobody asked for it

    @property
    def ready(self) -> bool:
        """Whether every part can be used."""
        return bool(self.parts) and all(part.state is PartState.READY for part in self.parts)


class Operation(StrEnum):
    """What a client wants from the supervisor."""

    JOIN = "join"  # hold the stack for as long as the connection lives
    KEEP = "keep"  # the stack stays when no client is left
    LOOK = "look"  # only see the status
    DOWN = "down"  # end everything now


class Request(_Message):
    """The first and only line that a client sends."""

    token: SecretStr
    operation: Operation

    @field_serializer("token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()

    def allowed(self, token: str) -> bool:
        """Whether the sender could read the state file."""
        return hmac.compare_digest(self.token.get_secret_value().encode(), token.encode())


class ProcessRecord(_Message):
    """Enough to recognise a process after its supervisor died: pids are used again."""

    name: str
    pid: int
    created: float


class StackState(_Message):
    """The state file: how to reach the stack, and what to clean up should it have died."""

    control_port: int
    token: str
    temporal_address: str
    # The server's web interface, where it is ours.
    temporal_ui_url: str | None = None
    own_server: bool
    namespace: str
    finance_mcp_url: str
    it_mcp_url: str
    kept: bool = False
    processes: tuple[ProcessRecord, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the file; None where there is none, or not a whole one."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file in one step, readable by its owner alone: it holds the token."""
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(self.model_dump_json())
        fresh.replace(path)
