"""All settings, from the environment and `.env`; read once, at the edge of each process.

Connection settings for Temporal are not here: they are the ecosystem's own
(`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, profiles, TLS), read by `temporalio.envconfig`.
"""

import os
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from dotenv import load_dotenv
from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableSettingError

from durable_loop import names
from durable_loop.errors import SettingsError

__all__ = ["Settings", "load_settings"]


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        message = "must be longer than zero"
        raise ValueError(message)
    return value


def _seconds(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _with_a_port_that_is_one(address: str) -> str:
    _ = urlsplit(address).port  # a ValueError where it is none
    return address


# In the environment: seconds ("5", "0.5") or ISO 8601 ("PT5M").
Duration = Annotated[timedelta, BeforeValidator(_seconds), AfterValidator(_positive)]
HttpAddress = Annotated[str, Field(pattern=r"^https?://[^/\s]+"), AfterValidator(_with_a_port_that_is_one)]
Port = Annotated[int, Field(ge=0, le=65535)]


# The words of an approval that are no names of tools.
_NONE = "none"
_APPROVALS = frozenset({names.APPROVAL_DESTRUCTIVE, names.APPROVAL_WRITING, _NONE})


class Settings(BaseSettings):
    """What can be set, with its default. `.env.example` has the same list with comments."""

    model_config = SettingsConfigDict(
        env_prefix="DURABLE_LOOP_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
    )

    # The model
    llm_model: str | None = Field(default=None, validation_alias="LLM_MODEL")
    model_timeout: Duration = timedelta(minutes=15)  # a reply that takes ten minutes is fine
    model_attempts: int = Field(default=6, ge=1)
    model_total_timeout: Duration = timedelta(minutes=45)

    # The chat
    max_message_chars: int = Field(default=32_000, ge=1)
    max_model_calls: int = Field(default=50, ge=1)
    # The transcript travels in one payload of 2 MB when the chat continues as new, hence the upper bound.
    max_transcript_tokens: int = Field(default=100_000, ge=1_000, le=200_000)
    # A worker that takes a chat over replays its run within one workflow task, hence the upper bound.
    max_run_events: int = Field(default=1_500, ge=100, le=2_000)
    max_run_bytes: int = Field(default=4_000_000, ge=2_000_000, le=5_000_000)
    max_tool_output_bytes: int = Field(default=64_000, ge=1_000, le=100_000)
    tool_timeout: Duration = timedelta(seconds=30)
    tool_attempts: int = Field(default=6, ge=1)
    heartbeat_timeout: Duration = timedelta(seconds=5)
    first_retry_after: Duration = timedelta(seconds=0.5)
    weather: Literal["demo", "live"] = "demo"
    # Which tools ask the user first: "destructive", "writing", names of tools, or "none".
    approval: Annotated[tuple[str, ...], NoDecode] = (names.APPROVAL_DESTRUCTIVE,)
    approval_deadline: Annotated[Duration, Field(le=timedelta(days=365))] = timedelta(days=1)

    # Temporal's web interface, where it is not where it usually is.
    temporal_ui: HttpAddress | None = None

    # The workers
    orchestrator_queue: str = names.QUEUE_ORCHESTRATOR
    sticky_queue_timeout: Duration = timedelta(seconds=2)
    graceful_shutdown: Duration = timedelta(seconds=5)
    max_cached_workflows: int = Field(default=500, ge=0)
    namespace_retention: Duration = timedelta(days=365)
    # Worker versioning: workers with a deployment and a build keep their chats until these continue as new.
    deployment: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]+$")
    build_id: str | None = Field(default=None, validate_default=True)

    # The MCP servers
    finance_mcp_url: HttpAddress = "http://127.0.0.1:8001/mcp"
    it_mcp_url: HttpAddress = "http://127.0.0.1:8002/mcp"
    mcp_token: SecretStr | None = None
    mcp_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    # How long an MCP server waits for the workflow behind a call before it answers with an error.
    backing_timeout: Duration = timedelta(seconds=20)

    # The embedded stack
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("durable-loop", appauthor=False)))
    temporal_cli: Path | None = None
    temporal_port: Port = 7233
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # Extension points: your own model provider and worker interceptors in the real worker
    # processes, each named `package.module:factory`.
    model_provider: str | None = None
    interceptors: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("build_id", mode="after")
    @classmethod
    def _of_a_deployment(cls, build_id: str | None, info: ValidationInfo) -> str | None:
        # A deployment that cannot be used is missing here, and has an error of its own.
        if "deployment" in info.data and (build_id is None) != (info.data["deployment"] is None):
            raise ValueError("a build belongs to a deployment: set DURABLE_LOOP_DEPLOYMENT and this one, or neither")
        return build_id

    @field_validator("approval", mode="after")
    @classmethod
    def _or_none(cls, approval: tuple[str, ...]) -> tuple[str, ...]:
        words = tuple(word.lower() if word.lower() in _APPROVALS else word for word in approval)
        if _NONE in words and len(words) > 1:
            raise ValueError("none stands alone")
        return () if words == (_NONE,) else words

    @field_validator("approval", "mcp_allowed_hosts", "interceptors", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def load_settings(env_file: Path | None = None) -> Settings:
    """Read `.env` (the environment wins), then every setting.

    The file's other variables (provider keys, `TEMPORAL_ADDRESS`) land in the environment too,
    where the libraries that own them look.

    Raises:
        SettingsError: a value cannot be used, or the file cannot be read; the message names the variable or line.
    """
    _load_file(env_file if env_file is not None else Path(".env"))
    try:
        return Settings()
    except (ValidationError, UnreadableSettingError) as error:
        raise SettingsError(_explain(error)) from error


def _load_file(path: Path) -> None:
    """Check first: dotenv leaves out what it cannot read, and a setting that is left out is a surprise later."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows editors write a mark first
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} cannot be read: it is not UTF-8.") from error
    for binding in parse_stream(StringIO(text)):
        if binding.error or "\0" in (binding.value or ""):
            # The line itself may hold a key.
            raise SettingsError(f"{path}, line {binding.original.line}: write NAME=value.")
    load_dotenv(stream=StringIO(text), override=False)


def _explain(error: ValidationError | UnreadableSettingError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    lines: list[str] = []
    for problem in error.errors(include_url=False, include_input=False):
        field = str(problem["loc"][0])
        variable = field if field.isupper() else f"DURABLE_LOOP_{field.upper()}"
        reason = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}={os.environ.get(variable, '')!r} cannot be used: {reason}.")
    return "\n".join(lines)
