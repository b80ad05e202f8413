"""Our servers in the files of MCP clients: put there, and nothing else is touched."""

import json
from pathlib import Path
from typing import Any

import pytest

from durable_loop.cli.mcp_clients import FORMATS, McpClient, Server
from durable_loop.cli.mcp_config import Saved, merge, printed
from durable_loop.errors import SettingsError
from tests.requirements import requirement

SERVERS = [Server("durable-loop-it", "/bin/python", ("-m", "it"), {"TEMPORAL_ADDRESS": "127.0.0.1:7233"})]
CLAUDE, CURSOR, GOOSE, VSCODE = (
    FORMATS[client] for client in (McpClient.CLAUDE_DESKTOP, McpClient.CURSOR, McpClient.GOOSE, McpClient.VSCODE)
)


def in_folder(folder: Path) -> list[str]:
    """Return the names of what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@requirement("cli.mcp-config")
def test_each_client_gets_its_own_words() -> None:
    """Whole files. (ours)"""
    start = {"command": "/bin/python", "args": ["-m", "it"], "env": {"TEMPORAL_ADDRESS": "127.0.0.1:7233"}}
    assert json.loads(printed(CLAUDE, SERVERS)) == {"mcpServers": {"durable-loop-it": start}}
    assert json.loads(printed(CURSOR, SERVERS)) == {"mcpServers": {"durable-loop-it": {"type": "stdio", **start}}}
    assert json.loads(printed(VSCODE, SERVERS)) == {"servers": {"durable-loop-it": {"type": "stdio", **start}}}
    assert printed(GOOSE, SERVERS) == (
        "extensions:\n"
        "  durable-loop-it:\n"
        "    enabled: true\n"
        "    timeout: 60\n"
        "    type: stdio\n"
        "    name: durable-loop-it\n"
        "    cmd: /bin/python\n"
        "    args:\n"
        "    - -m\n"
        "    - it\n"
        "    envs:\n"
        "      TEMPORAL_ADDRESS: 127.0.0.1:7233\n"
    )


@requirement("cli.mcp-config")
def test_what_is_there_stays_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """Other servers and settings, and a backup beside them; a byte order mark is no matter. (ours)"""
    file = tmp_path / "config.json"
    theirs: Any = {"theme": "dark é", "mcpServers": {"other": {"command": "npx", "args": []}}}
    before = "\ufeff" + json.dumps(theirs)
    file.write_text(before, encoding="utf-8")
    file.chmod(0o640)

    saved = merge(file, CLAUDE, SERVERS)
    assert saved == Saved(file, changed=True, backup=tmp_path / "config.json.bak")
    assert (tmp_path / "config.json.bak").read_text(encoding="utf-8") == before
    after = file.read_text(encoding="utf-8")
    assert "dark é" in after
    written = json.loads(after)
    assert written["mcpServers"].keys() == {"other", "durable-loop-it"}
    del written["mcpServers"]["durable-loop-it"]
    assert written == theirs
    assert file.stat().st_mode & 0o777 == 0o640

    assert merge(file, CLAUDE, SERVERS) == Saved(file, changed=False)
    assert file.read_text(encoding="utf-8") == after
    assert in_folder(tmp_path) == ["config.json", "config.json.bak"]


@requirement("cli.mcp-config")
def test_comments_of_yaml_stay_and_so_does_what_is_switched_off(tmp_path: Path) -> None:
    """The command is ours, the rest of the entry the user's; no backup is written over. (ours)"""
    file = tmp_path / "config.yaml"
    file.write_text(
        "# mine\n"
        'GOOSE_MODE: "auto"  # for now\n'
        "extensions:\n"
        "  developer:\n"
        "    enabled: true  # always\n"
        "  durable-loop-it:\n"
        "    enabled: false\n"
        "    cmd: /old/python\n"
        "    envs:\n"
        "      MINE: '1'\n"
    )
    (tmp_path / "config.yaml.bak").write_text("an older one")

    assert merge(file, GOOSE, SERVERS).backup == tmp_path / "config.yaml.bak1"
    assert file.read_text() == (
        "# mine\n"
        'GOOSE_MODE: "auto"  # for now\n'
        "extensions:\n"
        "  developer:\n"
        "    enabled: true  # always\n"
        "  durable-loop-it:\n"
        "    enabled: false\n"
        "    cmd: /bin/python\n"
        "    envs:\n"
        "      MINE: '1'\n"
        "      TEMPORAL_ADDRESS: 127.0.0.1:7233\n"
        "    timeout: 60\n"
        "    type: stdio\n"
        "    name: durable-loop-it\n"
        "    args:\n"
        "    - -m\n"
        "    - it\n"
    )
    assert (tmp_path / "config.yaml.bak").read_text() == "an older one"
    assert not merge(file, GOOSE, SERVERS).changed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"mcpServers": {', "line 1 is no JSON"),
        (b'{\n// mine\n"mcpServers": {}}', "line 2 is no JSON"),
        (b'{"a": 1, "a": 2}', "`a` is there twice"),
        (b"[]", "it is no list of names"),
        (b'{"mcpServers": []}', "`mcpServers` is there and is no list of names"),
        (b'{"mcpServers": {"durable-loop-it": "x"}}', "`durable-loop-it` is there and is no list of names"),
        (b'{"mcpServers": {"durable-loop-it": {"env": ["A=B"]}}}', "`env` is there and is no list of names"),
        (b'{"a": ' * 100_000, "it is too deep"),
        (b'{"a": "\xff"}', "not all of it is UTF-8"),
        (b'{"a": "\\ud800"}', "not all of it is UTF-8"),
    ],
    ids=["cut", "comment", "twice", "list", "servers", "entry", "variables", "deep", "bytes", "surrogate"],
)
@requirement("cli.mcp-config")
def test_a_file_that_is_not_understood_is_left_as_it_is(tmp_path: Path, text: bytes, said: str) -> None:
    """And it is said what to do. (ours)"""
    file = tmp_path / "config.json"
    file.write_bytes(text)

    with pytest.raises(SettingsError) as refused:
        merge(file, CLAUDE, SERVERS)
    assert str(refused.value).startswith(f"{file} was left as it is: ")
    assert said in str(refused.value)
    assert "without --write" in str(refused.value)
    assert file.read_bytes() == text
    assert in_folder(tmp_path) == ["config.json"]


@pytest.mark.parametrize(
    "text", ["a: [", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "# mine\n", "extensions: [a]\n", "- a\n", "x: 2026-13-45\n"]
)
@requirement("cli.mcp-config")
def test_yaml_that_is_not_understood_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    """As JSON is. (ours)"""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(SettingsError, match="was left as it is"):
        merge(file, GOOSE, SERVERS)
    assert file.read_text() == text


@requirement("cli.mcp-config")
def test_a_write_that_fails_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full in the middle; the backup may stay. (ours)"""
    file = tmp_path / "config.json"
    file.write_text("{}")

    def fsync(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fsync)
    with pytest.raises(SettingsError, match="No space left on device"):
        merge(file, CLAUDE, SERVERS)
    assert file.read_text() == "{}"
    assert in_folder(tmp_path) == ["config.json", "config.json.bak"]


@requirement("cli.mcp-config")
def test_a_link_stays_a_link_and_an_empty_file_is_no_broken_one(tmp_path: Path) -> None:
    """What it points to is changed; a folder that is missing is made. (ours)"""
    real = tmp_path / "dotfiles" / "config.json"
    real.parent.mkdir()
    real.write_text("\n")
    link = tmp_path / "config.json"
    link.symlink_to(real)

    assert merge(link, CLAUDE, SERVERS).file == real
    assert link.is_symlink()
    assert "durable-loop-it" in real.read_text()
    new = tmp_path / "Claude" / "config.json"
    assert merge(new, CLAUDE, SERVERS) == Saved(new, changed=True)
