"""What `ask` makes of what it is given, without a chat."""

import io
import sys
from datetime import timedelta

import pytest

from durable_loop.cli import ask
from durable_loop.cli.ask import deciding, whole_question
from durable_loop.cli.output import complain, take_every_character, write
from durable_loop.errors import ChatWaitsError, SettingsError
from tests.unit.cli.test_screen import ASKED


class Keyboard(io.StringIO):
    """A terminal that nobody types into."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def piped(content: bytes) -> io.TextIOWrapper:
    """Return a pipe with this in it."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("typed", "content", "whole"),
    [
        ("Hi", b"", "Hi"),
        (None, b"Hi\n", "Hi"),
        ("-", b"Hi\n\nyou\n", "Hi\n\nyou"),
        ("Shorten:", b"text\n", "Shorten:\n\ntext"),
        ("Shorten:", b"\n \n", "Shorten:"),
        ("", b"text", "text"),
        (None, b"\xff\xfe", "\ufffd\ufffd"),
        ("\udcff", b"", "?"),
    ],
)
def test_a_message_is_what_was_typed_and_what_is_piped_in(typed: str | None, content: bytes, whole: str) -> None:
    """In this order, a blank line between them; bytes that are no text are marked. (ours)"""
    assert whole_question(typed, piped(content)) == whole


@pytest.mark.parametrize("stdin", [piped(b""), piped(b" \n"), Keyboard(), None])
def test_without_a_message_it_is_said_what_to_type(stdin: io.TextIOWrapper | None) -> None:
    """A terminal is not waited for. (ours)"""
    with pytest.raises(SettingsError, match="pipe the message in"):
        whole_question(None, stdin)


async def test_what_others_asked_for_is_theirs_and_not_waited_for_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is decided about a turn that another program began; whoever looks on is told what the chat waits for.

    (ours)
    """
    monkeypatch.setattr(ask, "OTHERS_PATIENCE", timedelta(seconds=0.01))

    with pytest.raises(ChatWaitsError, match=r"until somebody allows vault.delete.*--resume chat-1\. This message"):
        await deciding("chat-1", "another", approve=True)(ASKED)
    assert capsys.readouterr().err == ""


def test_a_character_that_the_output_has_not_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoding is the user's. (ours)"""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    monkeypatch.setattr(sys, "stderr", None)

    take_every_character()
    write("für 5 €\n")
    complain("unheard")

    assert written.getvalue() == "für 5 ?\n".encode("latin-1")
