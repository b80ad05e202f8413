"""`durable-loop mcp config`: what it prints starts servers that answer, as a client would start them."""

import json
import os
from pathlib import Path
from typing import Any

import mcp
import pytest
from ruamel.yaml import YAML

from durable_loop.testing import Environment
from tests.e2e.commands import Ran, piped
from tests.requirements import requirement

TOOLS = {
    "durable-loop-finance": {"stock_price", "calculate_roi"},
    "durable-loop-it": {"set_jira_project", "get_jira_metrics", "track_ip", "get_ip_history"},
}
KEYS = {"claude-desktop": "mcpServers", "cursor": "mcpServers", "goose": "extensions", "vscode": "servers"}


async def config(folder: Path, client: str, *words: str, **environment: str) -> Ran:
    """Ask for the configuration, in a home of its own."""
    own = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    words = ("mcp", "config", "--client", client, *words)
    return await piped(folder, *words, **own, DURABLE_LOOP_DATA_DIR=str(folder / "data"), **environment)


def started(entry: dict[str, Any], cwd: Path) -> mcp.StdioServerParameters:
    """Return how a client starts a server: with nothing in its environment but what it must have and the entry says."""
    return mcp.StdioServerParameters(
        command=entry.get("command") or entry["cmd"],
        args=list(entry["args"]),
        env=dict(entry["env"] if "env" in entry else entry["envs"]),
        cwd=cwd,
    )


@pytest.mark.parametrize("client", KEYS)
@requirement("cli.mcp-config")
async def test_what_is_printed_starts_the_servers(env: Environment, tmp_path: Path, client: str) -> None:
    """Word for word, from a folder that is not ours; and a tool reaches Temporal. (ours)"""
    ran = await config(tmp_path, client, TEMPORAL_ADDRESS=env.address)
    assert ran.code == 0
    document: Any = YAML(typ="safe").load(ran.output) if client == "goose" else json.loads(ran.output)  # pyright: ignore[reportUnknownMemberType] - partly untyped
    entries = document[KEYS[client]]

    assert entries.keys() == TOOLS.keys()
    async with await env.finance_worker():
        for name, tools in TOOLS.items():
            async with mcp.Client(started(entries[name], tmp_path)) as server:
                assert {tool.name for tool in (await server.list_tools()).tools} == tools
                if "finance" in name:
                    assert not (await server.call_tool("stock_price", {"ticker": "AAPL"})).is_error


@requirement("cli.mcp-config")
async def test_it_is_merged_into_the_file_of_the_client(tmp_path: Path) -> None:
    """Twice is as once; the errors are in words. (ours)"""
    file = tmp_path / ".cursor" / "mcp.json"
    first = await config(tmp_path, "cursor", "--write")
    assert (first.code, first.output) == (0, f"{file} has the servers now. Start cursor again.\n")
    assert first.errors == "  (the tools need a stack that runs: durable-loop up)\n"
    written = file.read_bytes()
    second = await config(tmp_path, "cursor", "--write")
    assert (second.code, second.output) == (0, f"{file} has the servers already.\n")
    assert file.read_bytes() == written
    assert [entry.name for entry in os.scandir(file.parent)] == ["mcp.json"]

    file.write_text("{ // mine\n}")
    refused = await config(tmp_path, "cursor", "--write")
    assert (refused.code, refused.output) == (2, "")
    assert refused.errors.startswith(f"{file} was left as it is: line 1 is no JSON")
    assert refused.errors.count("\n") == 1


@requirement("cli.mcp-config")
async def test_a_key_is_not_printed_and_that_is_said(tmp_path: Path) -> None:
    """Nor does any client exist that we do not know. (ours)"""
    ran = await config(tmp_path, "vscode", TEMPORAL_ADDRESS="example.com:7233", TEMPORAL_API_KEY="a-secret")
    assert ran.code == 0
    assert "example.com:7233" in ran.output
    assert "a-secret" not in ran.output + ran.errors
    assert "keys are not copied" in ran.errors

    unknown = await config(tmp_path, "emacs")
    assert (unknown.code, unknown.output) == (2, "")
    assert "'emacs' is not one of" in unknown.errors
