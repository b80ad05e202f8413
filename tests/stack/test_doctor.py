"""`durable-loop doctor` as a person runs it: with nothing, with a stack, with what is broken."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.e2e.commands import Ran, piped
from tests.requirements import requirement
from tests.stack.stacks import TestStack

SOMETHING_IS_WRONG = 1
KEY = "sk-nobody-may-see-this"
PARTS = {"temporal", "orchestrator-worker", "finance-mcp", "finance-worker", "it-mcp", "it-worker"}


async def doctor(folder: Path, *words: str, **environment: str) -> Ran:
    """Run it in a folder without settings of its own."""
    return await piped(folder, "doctor", *words, DURABLE_LOOP_DATA_DIR=str(folder / "data"), **environment)


def verdicts(ran: Ran) -> dict[str, str]:
    """Return what each line says of what."""
    return {what: verdict for verdict, what, _ in (line.split("\t") for line in ran.output.splitlines())}


@requirement("cli.doctor")
async def test_nothing_is_changed_and_nothing_is_started(tmp_path: Path) -> None:
    """Each check has a line; a key is not shown. (ours)"""
    ran = await doctor(tmp_path, LLM_MODEL="gpt-4", OPENAI_API_KEY=KEY)

    assert (ran.code, ran.errors) == (0, "")
    found = verdicts(ran)
    assert found.keys() >= {"python", "terminal", "settings", "model", "data folder", "temporal program", "stack"}
    assert "wrong" not in found.values()
    assert KEY not in ran.output
    assert not any(os.scandir(tmp_path))


@requirement("cli.doctor")
async def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """As JSON, too. (ours)"""
    wrong = {"LLM_MODEL": "gpt-4", "OPENAI_API_KEY": "", "TEMPORAL_ADDRESS": "127.0.0.1:9"}
    ran = await doctor(tmp_path, "--json", **wrong, DURABLE_LOOP_TEMPORAL_CLI=str(tmp_path / "none"))

    told = json.loads(ran.output)
    assert (ran.code, ran.errors, told["ok"]) == (SOMETHING_IS_WRONG, "", False)
    said = {check["what"]: check["said"] for check in told["checks"] if check["verdict"] == "wrong"}
    assert said.keys() == {"model", "temporal", "temporal program"}
    assert "No Temporal answers at 127.0.0.1:9" in said["temporal"]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DURABLE_LOOP_LOG_LEVEL": "LOUD"}, "DURABLE_LOOP_LOG_LEVEL='LOUD' cannot be used"),
        ({"TEMPORAL_PROFILE": "nobodys"}, "The settings for Temporal cannot be read"),
    ],
    ids=["ours", "temporal"],
)
@requirement("cli.doctor")
async def test_settings_that_cannot_be_read_are_one_line(
    tmp_path: Path, environment: dict[str, str], said: str
) -> None:
    """What depends on them is not looked at. (ours)"""
    ran = await doctor(tmp_path, **environment)

    assert (ran.code, ran.errors) == (SOMETHING_IS_WRONG, "")
    assert list(verdicts(ran)) == ["python", "terminal", "settings"]
    assert said in ran.output


@requirement("cli.doctor")
async def test_a_line_of_the_file_that_is_no_setting_is_named(tmp_path: Path) -> None:
    """And not shown: it may hold a key. (ours)"""
    (tmp_path / ".env").write_text(f"A=1\n'{KEY}\n")
    ran = await doctor(tmp_path)

    assert verdicts(ran)["settings"] == "wrong"
    assert ".env, line 2: write NAME=value." in ran.output
    assert KEY not in ran.output


@requirement("cli.doctor")
async def test_a_temporal_that_takes_the_call_and_says_nothing_ends_the_wait(tmp_path: Path) -> None:
    """It is wrong, like one that is away. (ours)"""
    over = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        ran = await doctor(tmp_path, TEMPORAL_ADDRESS=f"127.0.0.1:{port}")
        over.set()

    assert ran.code == SOMETHING_IS_WRONG
    assert verdicts(ran)["temporal"] == "wrong"


@requirement("cli.doctor")
async def test_the_parts_of_a_stack_that_runs_are_looked_at(stack: TestStack, tmp_path: Path) -> None:
    """One that stands still is wrong, and so is a Temporal that is not the stack's. (ours)"""
    assert (await stack.command("up"))[0] == 0
    healthy = await piped(tmp_path, "doctor", **stack.environment)
    found = verdicts(healthy)
    assert (healthy.code, {found[part] for part in PARTS}) == (0, {"ok"})
    port = stack.state.finance_mcp_url.removesuffix("/mcp").rpartition(":")[2]
    finance = {**stack.environment, "DURABLE_LOOP_FINANCE_MCP_URL": f"http://127.0.0.1:{port}/mcp"}
    victim = stack.part("finance-mcp")
    victim.suspend()
    broken = await piped(tmp_path, "doctor", **finance)
    victim.resume()
    other = await piped(tmp_path, "doctor", **stack.environment, TEMPORAL_ADDRESS="127.0.0.1:9")
    assert (await stack.command("down"))[0] == 0
    await stack.gone()

    assert broken.code == SOMETHING_IS_WRONG
    assert {what for what, verdict in verdicts(broken).items() if verdict == "wrong"} == {"finance-mcp"}
    assert f"ok\tport {port}\tthe finance MCP server of this stack" in broken.output
    assert other.code == SOMETHING_IS_WRONG
    assert "TEMPORAL_ADDRESS is 127.0.0.1:9, but the stack that runs here has a server of its own." in other.output


@requirement("cli.doctor")
async def test_a_data_folder_that_is_a_file_is_said_in_a_line(tmp_path: Path) -> None:
    """Also by commands that look for a stack there. (ours)"""
    (tmp_path / "file").write_text("")
    for command in ("doctor", "status", "chats"):
        ran = await piped(tmp_path, command, DURABLE_LOOP_DATA_DIR=str(tmp_path / "file"))
        assert ran.code != 0
        assert str(tmp_path / "file") in ran.output + ran.errors
