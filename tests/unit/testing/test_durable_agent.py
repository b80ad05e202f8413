"""An agent is found by its path, or it is said why not."""

import sys
from pathlib import Path

import pytest

from durable_loop.errors import SettingsError
from durable_loop.testing import DurableAgent
from durable_loop.testing.own_agent import CHAT


def test_an_agent_is_found_by_its_path() -> None:
    """As a worker process and a command get it. (ours)"""
    assert DurableAgent.load("durable_loop.testing.own_agent:CHAT") is CHAT


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "syntax",
            "x = 1\ndef x(:\n",
            r"agent_syntax cannot be imported: SyntaxError: .*\(agent_syntax\.py, line 2\)\.",
        ),
        ("unnamed", "\nNo\n", r"cannot be imported: NameError: name 'No' is .* \(.*agent_unnamed\.py, line 2\)\."),
        ("leaves", "raise SystemExit('x\\ny')\n", r"cannot be imported: SystemExit: x y \(.*leaves\.py, line 1\)\."),
        ("lacks", "import nothing_of_that_name\n", r"No module named 'nothing_of_that_name' \(.*lacks\.py, line 1\)\."),
        ("without", "", r"module 'agent_without' has no attribute 'AGENT'\. Write package\.module:NAME\."),
        ("other", "AGENT = 3", r"agent_other:AGENT is int, and no DurableAgent\."),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, words: str
) -> None:
    """The module, the error, and where. (ours)"""
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    (tmp_path / f"agent_{name}.py").write_text(content)

    with pytest.raises(SettingsError, match=words) as told:
        DurableAgent.load(f"agent_{name}:AGENT")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("path", ["", ":", "agent", ".x:Y", "a/b.py:AGENT", "agent:", "a..b:C"])
def test_a_path_that_is_none_is_told(path: str) -> None:
    """With what one looks like. (ours)"""
    with pytest.raises(SettingsError, match=r"^No agent at '.*': write package\.module:NAME\.$"):
        DurableAgent.load(path)
