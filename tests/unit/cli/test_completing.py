"""What is offered for the id of a chat, and for how long it is waited."""

from collections.abc import Sequence
from datetime import timedelta
from threading import Event

import pytest

from durable_loop.cli import completing
from tests.requirements import requirement


@requirement("cli.completion")
def test_what_does_not_come_in_time_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is there while the server still says nothing. (ours)"""
    answers = Event()

    def known() -> Sequence[str]:
        answers.wait()
        return ["chat-1"]

    assert completing.PATIENCE.total_seconds() <= 1
    monkeypatch.setattr(completing, "PATIENCE", timedelta(seconds=0.05))
    monkeypatch.setattr(completing, "_known", known)
    assert completing.chat_ids("") == []
    assert not answers.is_set()
    answers.set()


@requirement("cli.completion")
def test_only_harmless_ids_that_begin_so_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell may evaluate what it gets. (ours)"""
    bad = ["chat-$(id)", "chat-`id`", "chat-'", 'chat-"', "chat- 1", "chat-*", "chat-1\n", "chat-\x1b[2J", "-x"]
    monkeypatch.setattr(completing, "_known", lambda: ["chat-2", *bad, "chat-1", "other"])

    assert completing.chat_ids("chat-") == ["chat-2", "chat-1"]
    assert completing.chat_ids("") == ["chat-2", "chat-1", "other"]
