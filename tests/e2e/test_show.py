"""`durable-loop show` against real chats: one whose worker is killed, one in two runs, one that nobody answers for."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest

from durable_loop import names
from durable_loop.chat.messages import ChatInput
from durable_loop.testing import Environment, McpTransport, Script, WorkerPlace, calls, says
from tests.e2e.commands import PROGRAM, piped
from tests.e2e.terminal import ROOT, Terminal
from tests.e2e.waiting import activity_runs, eventually
from tests.requirements import requirement

STORED = Path("fixtures/histories").resolve()
AWAY = {"TEMPORAL_ADDRESS": "127.0.0.1:9"}


@requirement("cli.timeline")
async def test_a_killed_worker_is_seen_while_it_is_dead_and_afterwards(tmp_path: Path) -> None:
    """No worker runs when the chat is read for the first time; then another one has ended the turn. (ours)

    No finance worker runs until then, so the call cannot end before the kill.
    """
    script = Script(calls("stock_price", ticker="AAPL"), says("185.50."))
    async with (
        Environment.start(service_workers=False) as env,
        env.agent(script, workers=WorkerPlace.SUBPROCESS, mcp=McpTransport.HTTP) as agent,
    ):
        show = ("show", "--no-stack", (chat := agent.chat()).chat_id)
        sending = asyncio.create_task(chat.send("AAPL?"))
        await eventually(lambda: activity_runs(chat, "temporalio.mcp.finance.call-tool"))
        assert agent.worker is not None
        await agent.worker.kill()
        meanwhile = await piped(tmp_path, *show, TEMPORAL_ADDRESS=env.address)
        async with await env.finance_worker(), env.worker_process(agent.settings, script=script):
            await sending
        afterwards = await piped(tmp_path, *show, TEMPORAL_ADDRESS=env.address)

    assert (meanwhile.code, meanwhile.errors) == (0, "")
    assert "└ Under way" in meanwhile.output
    assert (afterwards.code, afterwards.errors) == (0, "")
    lines = [" ".join(line.split()) for line in afterwards.output.splitlines()]
    assert "│ attempt 2 of 6" in lines
    assert "│ before: the worker that ran it is gone." in lines
    assert "│ its worker was gone" in lines
    assert any(line.startswith("├ gap finance.stock_price") for line in lines)
    assert any(line.startswith("└ Agent: 185.50.") for line in lines)


@pytest.fixture(name="long", scope="module")
async def _long(env: Environment) -> AsyncGenerator[tuple[str, dict[str, str]]]:
    """Give a chat in two runs, and the environment of a program that reads it."""
    script = Script(says("Hello Ada."), calls("calculator", expression="6*7"), says("<b>42</b>"))
    async with env.agent(script, max_run_events=10) as agent:
        chat = agent.chat()
        await chat.send("My name is Ada")
        await chat.send("6 * 7?")
        yield chat.chat_id, {**os.environ, "TEMPORAL_ADDRESS": env.address}


async def test_all_runs_of_a_chat_are_shown(long: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """Turns have the numbers that they have in the chat. (ours)"""
    chat_id, environment = long
    shown = await piped(tmp_path, "show", "--no-stack", chat_id, **environment)

    assert (shown.code, shown.errors) == (0, "")
    assert shown.output.startswith(f"My name is Ada\n{chat_id} · offline · open\n2 turns · ")
    for said in ("\n1 You: My name is Ada", "goes on in a new run", "\n2 You: 6 * 7?", '{"expression": "6*7"}'):
        assert said in shown.output
    assert "\x1b" not in shown.output


async def test_a_terminal_shows_bars(long: tuple[str, dict[str, str]]) -> None:
    """As wide as it is. (ours)"""
    chat_id, environment = long
    async with Terminal.running(*PROGRAM, "show", "--no-stack", chat_id, environment=environment) as terminal:
        assert await terminal.ended() == 0

    assert "2 You: 6 * 7?" in terminal.text
    assert "█" in terminal.text


async def test_a_page_is_written_and_no_file_is_overwritten(long: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """To standard output, or to a file that is not there yet. (ours)"""
    chat_id, environment = long
    show = ("show", "--no-stack", "--html", chat_id)
    page = await piped(tmp_path, *show, **environment)
    assert await piped(tmp_path, *show, "--output", "chat.html", **environment) == (0, "", "")
    again = await piped(tmp_path, *show, "--output", "chat.html", **environment)
    forced = await piped(tmp_path, *show, "--output", "chat.html", "--force", **environment)

    assert page.output.startswith("<!DOCTYPE html>")
    assert "&lt;b&gt;42&lt;/b&gt;" in page.output
    assert (tmp_path / "chat.html").read_text() == page.output
    assert again == (2, "", "chat.html is there already: name another file, or say --force.\n")
    assert forced == (0, "", "")


async def test_a_chat_that_no_worker_takes_up_is_shown_as_it_is(env: Environment, tmp_path: Path) -> None:
    """Nothing was said in it yet. (ours)"""
    client, chat_id = await env.client(), f"chat-{uuid4().hex[:8]}"
    await client.start_workflow(names.WORKFLOW_CHAT, ChatInput(model="offline"), id=chat_id, task_queue="nobody")
    shown = await piped(tmp_path, "show", "--no-stack", chat_id, TEMPORAL_ADDRESS=env.address)

    assert shown == (0, f"{chat_id}\n{chat_id} · offline · open\n0 turns\n", "")
    said = await piped(tmp_path, "show", "--transcript", "--no-stack", chat_id, TEMPORAL_ADDRESS=env.address)
    assert said == (0, f"{chat_id}\n{chat_id} · offline · open\n\n", "")


async def test_a_history_in_a_file_needs_no_server(tmp_path: Path) -> None:
    """A stored one, and one as Temporal's own program writes it. (ours)"""
    stored = STORED / "chat" / "asked-first.v0.json"
    content = json.loads(stored.read_text())
    (tmp_path / "theirs.json").write_text(json.dumps({"events": content["events"]}))
    for file in (str(stored), "theirs.json"):
        shown = await piped(tmp_path, "show", "--file", file, **AWAY)
        assert (shown.code, shown.errors) == (0, "")
        assert "refused: nobody answered in time" in shown.output

    said = await piped(tmp_path, "show", "--file", str(stored), "--transcript", **AWAY)
    calls_both = '  tool: track_ip({})\n  tool: set_jira_project({"project":"DEMO"})\n'
    assert said.output.endswith(f"You: Do both\n{calls_both}Agent: Done.\n")
    page = await piped(tmp_path, "show", "--file", str(stored), "--html", **AWAY)
    assert "<h2 id=" in page.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show",), "Name either a chat or, with --file, a file"),
        (("show", "chat-1", "--file", "broken.json"), "Name either a chat or, with --file, a file"),
        (("show", "--file", "none.json"), "none.json cannot be read: No such file or directory."),
        (("show", "--file", "."), ". cannot be read: Is a directory."),
        (("show", "--file", "broken.json"), "broken.json is no workflow history"),
        (("show", "--file", str(STORED / "it" / "session.v0.json")), "is one of ItSessionWorkflow."),
        (("show", "chat-1", "--transcript", "--html"), "--transcript or --html: "),
        (("show", "--transcript", "--file", "none.json"), "none.json cannot be read: No such file or directory."),
        (("show", "chat-1", "--output", "page.html"), "--output and --force belong to --html."),
    ],
)
@requirement("cli.words")
async def test_wrong_use_is_one_line_and_exit_code_2(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Nothing on standard output. (ours)"""
    (tmp_path / "broken.json").write_text('{"events": [')
    ran = await piped(tmp_path, *words, DURABLE_LOOP_DATA_DIR=str(tmp_path))

    assert (ran.code, ran.output) == (2, "")
    assert said in ran.errors
    assert ran.errors.count("\n") == 1


@requirement("security.screen")
@pytest.mark.parametrize("words", [("show", "--file"), ("history", "show"), ("history", "check")])
async def test_names_in_a_file_do_not_speak_to_the_terminal(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whoever wrote it may have had other things in mind than a chat. (ours)"""
    stored = (ROOT / "fixtures/histories/it/session.v0.json").read_text()
    (tmp_path / "odd.json").write_text(stored.replace("ItSessionWorkflow", "X\\u001b]0;owned\\u0007\\u001b[2J"))
    ran = await piped(tmp_path, *words, "odd.json", DURABLE_LOOP_DATA_DIR=str(tmp_path))

    assert "owned" in ran.output + ran.errors
    assert not {"\x1b", "\x07"} & {*ran.output, *ran.errors}
