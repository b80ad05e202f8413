"""The folder in which a stack keeps everything."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from durable_loop.errors import SettingsError
from durable_loop.stack.folder import StackFolder


def test_a_folder_without_room_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In words, and before a server on it dies of it. (ours)"""

    def disk_usage(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=2_500_000)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)

    with pytest.raises(SettingsError, match=rf"{tmp_path} has 2 MB left, and chats need 10: make room"):
        StackFolder(tmp_path).create()


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """Chats and logs are private. (ours)"""
    folder = StackFolder(tmp_path / "new")
    folder.create()

    assert folder.root.stat().st_mode & 0o777 == 0o700
    assert folder.log("x").parent.stat().st_mode & 0o777 == 0o700
