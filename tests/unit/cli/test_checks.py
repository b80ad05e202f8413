"""What the doctor sees: each thing that can be wrong is found, and it is said what to do."""

import os
import shutil
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from durable_loop.cli import checks
from durable_loop.cli.checks import Finding, Verdict
from durable_loop.cli.terminal import Look
from durable_loop.settings import Settings
from durable_loop.stack.ports import HOST
from tests.requirements import requirement

KEY = "sk-nobody-may-see-this"


class Usage(NamedTuple):
    """What a disk says of itself."""

    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def _no_temporal_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)


def looked_at(what: str, settings: Settings, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Return what a check finds."""
    (check,) = (check for check in checks.all_checks(settings, environ or {}) if check.what == what)
    return list(check.look())


def one(what: str, settings: Settings, environ: Mapping[str, str] | None = None) -> tuple[Verdict, str]:
    """Return the only thing that a check finds."""
    (finding,) = looked_at(what, settings, environ)
    return finding.verdict, finding.said


@requirement("cli.doctor")
def test_a_model_needs_a_name_and_its_key(tmp_path: Path) -> None:
    """The key itself is never shown. (ours)"""
    settings = Settings(data_dir=tmp_path, llm_model="gpt-4")

    assert one("model", settings, {"OPENAI_API_KEY": KEY}) == (Verdict.OK, "openai/gpt-4; its key is set.")
    verdict, said = one("model", settings)
    assert verdict is Verdict.WRONG
    assert "needs OPENAI_API_KEY: set it" in said
    verdict, said = one("model", Settings(data_dir=tmp_path, llm_model="nonsense"))
    assert verdict is Verdict.WRONG
    assert "does not say whose model it is" in said
    offline = Settings(data_dir=tmp_path, llm_model=None)
    assert one("model", offline, {"OPENAI_API_KEY": KEY}) == (
        Verdict.OK,
        "the offline model (no key, no network). OPENAI_API_KEY is set: LLM_MODEL=gpt-4 would use it.",
    )


@requirement("cli.doctor")
def test_a_model_needs_litellm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody brings a provider of their own. (ours)"""

    def find_spec(_name: str) -> None: ...

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    environ = {"OPENAI_API_KEY": KEY}
    verdict, said = one("model", Settings(data_dir=tmp_path, llm_model="gpt-4"), environ)
    assert verdict is Verdict.WRONG
    assert said.endswith("pip install 'durable-loop[models]'.")
    own = Settings(data_dir=tmp_path, llm_model="gpt-4", model_provider="mine:provider")
    assert one("model", own, environ)[0] is Verdict.OK


@requirement("cli.doctor")
def test_a_data_folder_needs_room_and_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not made to find that out. (ours)"""
    folder = tmp_path / "a" / "b"
    verdict, said = one("data folder", Settings(data_dir=folder))
    assert verdict is Verdict.OK
    assert said.startswith(f"{folder} (made by the first command), ")
    assert list(tmp_path.iterdir()) == []

    for free, expected in ((9_000_000, Verdict.WRONG), (50_000_000, Verdict.WARN)):

        def disk_usage(_path: Path, free: int = free) -> Usage:
            return Usage(free, 0, free)

        monkeypatch.setattr(shutil, "disk_usage", disk_usage)
        verdict, said = one("data folder", Settings(data_dir=tmp_path))
        assert verdict is expected
        assert "make room" in said

    (tmp_path / "file").touch()
    verdict, said = one("data folder", Settings(data_dir=tmp_path / "file" / "b"))
    assert (verdict, said) == (Verdict.WRONG, f"{tmp_path / 'file'} is no folder: set DURABLE_LOOP_DATA_DIR.")

    def access(_path: Path, _mode: int) -> bool:
        return False

    monkeypatch.setattr(os, "access", access)
    verdict, said = one("data folder", Settings(data_dir=tmp_path))
    assert (verdict, said) == (Verdict.WRONG, f"{tmp_path} cannot be written to: set DURABLE_LOOP_DATA_DIR.")


def program(folder: Path, text: str) -> Path:
    """Write a program."""
    path = folder / "temporal"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@requirement("cli.doctor")
def test_the_program_of_temporal_is_asked_for_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails, or says nothing in time, is no program. (ours)"""
    settings = Settings(data_dir=tmp_path, temporal_cli=program(tmp_path, "echo temporal version 1.2.3"))
    assert one("temporal program", settings) == (Verdict.OK, f"temporal version 1.2.3 ({settings.temporal_cli})")

    monkeypatch.setattr(checks, "VERSION_TIMEOUT", 0.1)
    for text in ("exit 1", "exec tail -f /dev/null"):
        program(tmp_path, text)
        verdict, said = one("temporal program", settings)
        assert verdict is Verdict.WRONG
        assert "does not run" in said


@requirement("cli.doctor")
def test_without_a_program_it_is_said_where_one_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Temporal elsewhere needs none. (ours)"""

    def find_temporal(_configured: Path | None) -> None: ...

    monkeypatch.setattr(checks, "find_temporal", find_temporal)
    settings = Settings(data_dir=tmp_path)
    verdict, said = one("temporal program", settings)
    assert verdict is Verdict.WARN
    assert "pip install 'durable-loop[server]'" in said
    monkeypatch.setenv("TEMPORAL_ADDRESS", "example.com:7233")
    assert one("temporal program", settings)[0] is Verdict.OK


@requirement("cli.doctor")
def test_a_port_that_is_taken_is_a_warning(tmp_path: Path) -> None:
    """The stack takes another one; a server elsewhere needs none here. (ours)"""
    with socket.socket() as taken, socket.socket() as free:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        free.bind((HOST, 0))
        other = free.getsockname()[1]
        free.close()
        settings = Settings(
            data_dir=tmp_path,
            finance_mcp_url=f"http://{HOST}:{port}/mcp",
            it_mcp_url=f"http://localhost:{other}/mcp",
        )
        _temporal, finance, it = looked_at("ports", settings)
    assert finance == Finding(
        f"port {port}", Verdict.WARN, "taken by something else: the finance MCP server takes another one."
    )
    assert it == Finding(f"port {other}", Verdict.OK, "free for the IT MCP server")
    elsewhere = Settings(data_dir=tmp_path, finance_mcp_url="https://a.example/mcp", it_mcp_url="https://b.example/mcp")
    assert [finding.what for finding in looked_at("ports", elsewhere)] == ["port 7233"]


@requirement("cli.doctor")
def test_no_stack_is_nothing_wrong(tmp_path: Path) -> None:
    """The first command starts it. (ours)"""
    verdict, said = one("stack", Settings(data_dir=tmp_path))
    assert verdict is Verdict.OK
    assert said.startswith("none runs")


@requirement("cli.doctor")
def test_a_terminal_says_what_it_can_show() -> None:
    """Without UTF-8, some characters are lost. (ours)"""
    look = Look(columns=80, plain=False, colours=False)
    assert checks.terminal(look, "utf-8") == Finding("terminal", Verdict.OK, "utf-8, no colours")
    verdict = checks.terminal(look, "iso8859-1").verdict
    assert verdict is Verdict.WARN
