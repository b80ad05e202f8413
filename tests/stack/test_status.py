"""`durable-loop status`: against a stack whose parts die, and against a Temporal that somebody else runs."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from durable_loop import names
from durable_loop.services.tool_server import VERSION
from durable_loop.testing import Environment
from tests.e2e.commands import PROGRAM, Ran, piped
from tests.e2e.terminal import Terminal
from tests.e2e.waiting import eventually
from tests.requirements import requirement
from tests.stack.stacks import TestStack, a_stack

NOTHING_RUNS, SOMETHING_IS_DOWN = 1, 3
PARTS = ["temporal", "orchestrator-worker", "finance-mcp", "finance-worker", "it-mcp", "it-worker"]


@pytest.fixture(name="kept", scope="module")
async def _kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[TestStack]:
    async with a_stack(tmp_path_factory.mktemp("kept") / "data") as stack:
        assert (await stack.command("up"))[0] == 0
        yield stack
        await stack.command("down")
        await stack.gone()


def parts(ran: Ran) -> dict[str, dict[str, Any]]:
    """Return what `--json` says of each part."""
    return {part["name"]: part for part in json.loads(ran.output)["parts"]}


async def status(folder: Path, *words: str, **environment: str) -> Ran:
    """Ask in a folder without settings of its own."""
    return await piped(folder, "status", *words, DURABLE_LOOP_DATA_DIR=str(folder / "data"), **environment)


@requirement("cli.status")
async def test_each_part_of_a_stack_has_a_line(kept: TestStack, tmp_path: Path) -> None:
    """In a terminal a table, in a pipe tabs, and the same as JSON. (ours)"""
    state = kept.state
    ran = await piped(tmp_path, "status", "--json", **kept.environment)
    told = parts(ran)

    assert (ran.code, ran.errors) == (0, "")
    assert list(told) == PARTS
    assert {part["state"] for part in told.values()} == {"up"}
    assert told["temporal"]["address"] == state.temporal_address
    assert told["temporal"]["version"]
    assert told["finance-mcp"]["address"] == state.finance_mcp_url
    assert {told[name]["version"] for name in ("finance-mcp", "it-mcp")} == {VERSION}
    assert told["orchestrator-worker"]["queue"] == names.QUEUE_ORCHESTRATOR
    assert {told[name]["backlog"] for name in PARTS if name.endswith("worker")} == {0}

    plain = await piped(tmp_path, "status", **kept.environment)
    assert [line.split("\t")[0] for line in plain.output.splitlines()] == ["part", *PARTS]
    async with Terminal.running(*PROGRAM, "status", environment=kept.environment) as terminal:
        assert await terminal.ended() == 0
    assert all(f"\n{part} " in f"\n{terminal.text}" for part in PARTS)
    assert terminal.text.endswith("The stack stays until `durable-loop down`.")


@requirement("cli.status")
async def test_a_part_that_does_not_answer_is_down(kept: TestStack, tmp_path: Path) -> None:
    """Its supervisor has not noticed: the process is there, and stands still. (ours)"""
    victim = kept.part("it-mcp")
    victim.suspend()
    try:
        ran = await piped(tmp_path, "status", "--json", **kept.environment)
    finally:
        victim.resume()

    assert ran.code == SOMETHING_IS_DOWN
    told = parts(ran)
    assert {name for name, part in told.items() if part["state"] != "up"} == {"it-mcp"}
    assert told["it-mcp"]["problem"] == "nothing answers there"


@requirement("cli.status")
async def test_without_a_stack_a_configured_temporal_is_asked(env: Environment, tmp_path: Path) -> None:
    """Who polls, and what waits for nobody. (ours)"""
    client, nobody = await env.client(), "nobody-polls-here"
    await client.start_workflow("Waiting", id=nobody, task_queue=nobody)
    async with await env.finance_worker():

        async def finance_polls() -> bool:
            ran = await status(tmp_path, "--json", TEMPORAL_ADDRESS=env.address)
            return parts(ran)["finance-worker"]["state"] == "up"

        await eventually(finance_polls)
        words = {"TEMPORAL_ADDRESS": env.address, "DURABLE_LOOP_ORCHESTRATOR_QUEUE": nobody}
        ran = await status(tmp_path, "--json", **words, DURABLE_LOOP_FINANCE_MCP_URL="http://127.0.0.1:9/mcp")
    await client.get_workflow_handle(nobody).terminate()

    told = parts(ran)
    assert ran.code == SOMETHING_IS_DOWN
    assert not json.loads(ran.output)["stack"]
    assert told["temporal"]["state"] == "up"
    assert told["finance-worker"]["pollers"] >= 1
    assert told["orchestrator-worker"] == {
        "name": "orchestrator-worker",
        "state": "down",
        "address": None,
        "version": None,
        "queue": nobody,
        "pollers": 0,
        "backlog": 1,
        "problem": f"no worker polls {nobody}",
    }
    assert told["finance-mcp"]["problem"] == "nothing answers there"


@requirement("cli.status")
async def test_where_nothing_is_there_is_nothing_to_show(tmp_path: Path) -> None:
    """And a Temporal that is away is down, with all that hangs on it. (ours)"""
    assert await status(tmp_path) == (NOTHING_RUNS, "No stack is running.\n", "")
    nothing = await status(tmp_path, "--json")
    assert json.loads(nothing.output) == {"up": False, "stack": False, "kept": False, "parts": []}

    away = await status(tmp_path, "--json", TEMPORAL_ADDRESS="127.0.0.1:9")
    assert (away.code, away.errors) == (SOMETHING_IS_DOWN, "")
    told = parts(away)
    assert told["temporal"]["problem"].startswith("No Temporal answers at 127.0.0.1:9")
    assert told["it-worker"]["problem"] == "Temporal does not answer"
    assert not (tmp_path / "data").exists()


@requirement("cli.words")
async def test_settings_for_temporal_that_cannot_be_read_are_said_in_words(tmp_path: Path) -> None:
    """A profile that is none, a certificate that is not there. (ours)"""
    profile = await status(tmp_path, TEMPORAL_PROFILE="nobodys")
    assert (profile.code, profile.output) == (2, "")
    assert profile.errors.startswith("The settings for Temporal cannot be read: ")
    assert "nobodys" in profile.errors
    file = str(tmp_path / "none.pem")
    certificate = await status(
        tmp_path, TEMPORAL_ADDRESS="127.0.0.1:9", TEMPORAL_TLS_CLIENT_CERT_PATH=file, TEMPORAL_TLS_CLIENT_KEY_PATH=file
    )
    assert (certificate.code, certificate.output) == (2, "")
    assert file in certificate.errors
