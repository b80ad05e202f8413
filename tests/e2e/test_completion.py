"""What a shell offers when the completion key is pressed: its own process, asked as Typer's scripts ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from durable_loop import names
from durable_loop.chat.messages import ChatInput
from durable_loop.testing import Environment
from tests.e2e.commands import piped
from tests.e2e.waiting import eventually
from tests.requirements import requirement

AWAY = "127.0.0.1:9"


def asked(shell: str, line: str) -> dict[str, str]:
    """Return what a shell's script puts into the environment when the cursor is behind `line`."""
    if shell == "bash":
        words = line.split(" ")
        return {"_DURABLE_LOOP_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    if shell == "zsh":
        return {"_DURABLE_LOOP_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    # fish asks twice: whether there is something to offer, then what.
    return {
        "_DURABLE_LOOP_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }


async def offered(folder: Path, line: str, *, shell: str = "bash", **environment: str) -> str:
    """Return what is offered; nothing is ever said beside it."""
    ran = await piped(folder, **asked(shell, line), DURABLE_LOOP_DATA_DIR=str(folder / "data"), **environment)
    assert ran.errors == ""
    return ran.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@requirement("cli.completion")
async def test_commands_and_options_are_offered(tmp_path: Path, shell: str) -> None:
    """To each shell in its own way. (ours)"""
    commands = await offered(tmp_path, "durable-loop s", shell=shell)
    options = await offered(tmp_path, "durable-loop export --", shell=shell)

    assert "show" in commands
    assert "status" in commands
    assert "export" not in commands
    assert "--format" in options


@requirement("cli.completion")
def test_a_command_is_offered_without_the_sdk(tmp_path: Path) -> None:
    """Whoever presses the key does not wait for an import. (ours)"""
    program = (
        "import sys; sys.argv = ['durable-loop']\n"
        "from durable_loop.cli.app import app\n"
        "try:\n    app(prog_name='durable-loop')\n"
        "except SystemExit:\n    print(sorted({'temporalio', 'rich', 'mcp'} & {*sys.modules}))"
    )
    ran = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, **asked("bash", "durable-loop stat")},
        check=True,
        capture_output=True,
        text=True,
    )

    assert ran.stdout.splitlines() == ["status", "[]"]


@pytest.mark.parametrize(
    "words", ["show", "export", "end", "chat --resume", "ask --chat"], ids=lambda words: words.split()[0]
)
@requirement("cli.completion")
async def test_ids_of_chats_are_offered(env: Environment, tmp_path: Path, words: str) -> None:
    """Those that begin as what was typed. (ours)"""
    client, chat_id = await env.client(), f"chat-{uuid4().hex[:12]}"
    await client.start_workflow(names.WORKFLOW_CHAT, ChatInput(model="offline"), id=chat_id, task_queue="nobody")

    async def offers_it() -> bool:
        begun = f"durable-loop {words} {chat_id[:-2]}"
        return await offered(tmp_path, begun, TEMPORAL_ADDRESS=env.address) == f"{chat_id}\n"

    await eventually(offers_it)
    await client.get_workflow_handle(chat_id).terminate()


@requirement("cli.completion")
async def test_an_id_that_a_shell_could_run_is_not_offered(env: Environment, tmp_path: Path) -> None:
    """A script of zsh evaluates what it gets, and anybody may have named a workflow. (ours)"""
    client, mark = await env.client(), uuid4().hex[:8]
    bad = [f"x{mark}$(touch here)", f"x{mark}`id`", f"x{mark}'\"\n", f"x{mark} y"]
    for chat_id in (*bad, f"x{mark}-good"):
        await client.start_workflow(names.WORKFLOW_CHAT, ChatInput(model="offline"), id=chat_id, task_queue="nobody")

    async def all_are_listed() -> bool:
        runs = client.list_workflows(f"WorkflowType = '{names.WORKFLOW_CHAT}'")
        return {run.id async for run in runs}.issuperset([*bad, f"x{mark}-good"])

    await eventually(all_are_listed)

    seen = set[str]()

    async def something_is_offered() -> bool:  # a machine at work may take longer than the patience
        seen.update((await offered(tmp_path, f"durable-loop show x{mark}", TEMPORAL_ADDRESS=env.address)).split("\n"))
        return bool(seen - {""})

    await eventually(something_is_offered)
    assert seen - {""} == {f"x{mark}-good"}


@pytest.mark.parametrize(
    "environment",
    [{}, {"TEMPORAL_ADDRESS": AWAY}, {"TEMPORAL_PROFILE": "nobodys"}, {"DURABLE_LOOP_LOG_LEVEL": "LOUD"}],
    ids=["nothing", "away", "profile", "setting"],
)
@requirement("cli.completion")
async def test_without_a_server_nothing_is_offered_and_nothing_said(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """No folder is made either. (ours)"""
    assert (await offered(tmp_path, "durable-loop show ", **environment)).strip() == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@requirement("cli.completion")
async def test_the_script_of_each_shell_is_shown(tmp_path: Path, shell: str) -> None:
    """It asks as the tests above do. (ours)"""
    ran = await piped(tmp_path, "--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")

    assert (ran.code, ran.errors) == (0, "")
    for name in asked(shell, "durable-loop "):
        assert name in ran.output


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@requirement("cli.completion")
def test_bash_completes_once_it_is_installed(tmp_path: Path) -> None:
    """In the home of whoever installs it, beside what is there. (ours)"""
    (tmp_path / ".bashrc").write_text("MINE=1\n")
    script = """
        durable-loop --install-completion || exit
        source ~/.bashrc
        COMP_WORDS=(durable-loop stat) COMP_CWORD=1
        _durable_loop_completion durable-loop
        echo "offered: ${COMPREPLY[*]} $MINE"
    """
    ran = subprocess.run(  # noqa: S603 - bash
        [shutil.which("bash") or "", "--norc", "-c", script],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert ran.stdout.splitlines()[-1] == "offered: status 1"
    assert ran.stderr == ""
