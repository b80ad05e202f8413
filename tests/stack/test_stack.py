"""The embedded stack: who holds it, what happens when its parts die, where it lives."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from durable_loop import names
from durable_loop.stack import ports
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.messages import StackState
from durable_loop.testing import Environment
from tests.e2e.terminal import Terminal
from tests.e2e.waiting import eventually
from tests.requirements import requirement
from tests.stack.stacks import ANY_PORTS, TestStack, a_stack

PARTS = ["temporal", "orchestrator-worker", "finance-worker", "it-worker", "finance-mcp", "it-mcp"]
STARTS = 20
KEPT = "The stack stays until `durable-loop down`.\n"


@pytest.fixture(name="kept", scope="module")
async def _kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[TestStack]:
    """Give the tests a stack that `durable-loop up` started."""
    async with a_stack(tmp_path_factory.mktemp("kept") / "data") as stack:
        code, output, errors = await stack.command("up")
        assert (code, errors) == (0, "")
        assert output.endswith(addresses(stack.state) + KEPT)
        yield stack
        await stack.command("down")
        await stack.gone()


def addresses(state: StackState) -> str:
    """Return the screen that says where the parts are."""
    return (
        f"Temporal:    {state.temporal_address}\n"
        f"Finance MCP: {state.finance_mcp_url}\n"
        f"IT MCP:      {state.it_mcp_url}\n"
    )


@requirement("stack.kept")
async def test_a_kept_stack_is_joined_and_outlives_its_clients(kept: TestStack) -> None:
    """`up` twice is one stack; a chat comes and goes. (ours)"""
    state = kept.state

    assert await kept.command("up") == (0, addresses(state) + KEPT, "")
    assert await is_up(kept)
    code, output, errors = await kept.run("client.py", typed="What is the stock price of AAPL?\nquit\n")
    assert (code, errors) == (0, "")
    assert "$185.50" in output
    assert await is_up(kept)
    assert kept.state.processes == state.processes


@pytest.mark.timeout(400)
@requirement("stack.any-part-dies")
async def test_any_part_may_be_killed_and_the_chat_goes_on(kept: TestStack) -> None:
    """Each part is started again; the chat remembers, and its tools work. (ours)"""
    async with kept.client() as terminal:
        await ask(terminal, "My name is Ada", "Ada. I will remember")
        for number, part in enumerate(PARTS, start=2):
            victim = kept.part(part)
            victim.kill()
            await eventually(lambda part=part, victim=victim: _replaced(kept, part, victim.pid))
            await ask(terminal, f"Calculate {number} * 1000", f"The result is {number}000.")
        await ask(terminal, "What is the stock price of AAPL?", "$185.50")
        await ask(terminal, "Track my IP address", "172.16.0.1")
        await ask(terminal, "What is my name?", "Your name is Ada.")
        terminal.say("quit")
        assert await terminal.ended() == 0


@requirement("stack.supervisor-dies")
async def test_a_killed_supervisor_is_replaced_by_a_client_and_the_chat_goes_on(stack: TestStack) -> None:
    """The new one ends what was left over and takes the same ports. (ours)"""
    async with stack.client() as terminal:
        await ask(terminal, "My name is Ada", "Ada. I will remember")
        before, supervisor = stack.state, stack.supervisor
        supervisor.kill()
        await eventually(lambda: _all_replaced(stack, before))
        await ask(terminal, "What is my name?", "Your name is Ada.")

        after = stack.state
        assert addresses(after) == addresses(before)
        assert not any(psutil.pid_exists(record.pid) for record in before.processes)
        terminal.say("quit")
        assert await terminal.ended() == 0
    await stack.gone()


@requirement("stack.supervisor-dies")
async def test_what_a_killed_supervisor_left_over_is_ended_by_the_next_command(stack: TestStack) -> None:
    """Supervisor and client are both gone; `down` finds the rest. (ours)"""
    async with stack.client() as terminal:
        await terminal.shows("it-mcp is ready")
        before = stack.state
        stack.supervisor.suspend()  # so that it cannot see the client go
        terminal.close()
        stack.supervisor.kill()
    assert any(psutil.pid_exists(record.pid) for record in before.processes)

    code, output, _ = await stack.command("status")
    assert (code, output.startswith("No stack is running. A supervisor died, and its parts still run:")) == (1, True)
    code, output, errors = await stack.command("down")
    assert (code, output) == (0, "The stack has ended; the chats stay.\n")
    assert "left over by a supervisor that died" in errors
    await stack.gone()
    assert await stack.command("down") == (0, "No stack was running.\n", "")
    assert await stack.command("status") == (1, "No stack is running.\n", "")


@requirement("stack.kept")
async def test_the_stack_lives_as_long_as_one_of_its_clients_and_down_ends_it_for_all(stack: TestStack) -> None:
    """The first client starts it, the second joins; the first leaves and it stays. (ours)"""
    async with stack.client() as first, stack.client() as second:
        await first.shows("orchestrator-worker is ready")
        await second.shows("orchestrator-worker is ready")
        state = stack.state
        first.say("quit")
        assert await first.ended() == 0
        await ask(second, "Calculate 15 * 23", "345")
        assert stack.state.processes == state.processes

        assert (await stack.command("down"))[0] == 0
        await second.shows("The stack was ended (durable-loop down)")
        assert await second.ended() == 2
    await stack.gone()


@pytest.mark.usefixtures("usual_ports")
@requirement("stack.ports")
async def test_taken_ports_are_left_alone_and_the_ones_used_instead_are_said(stack: TestStack) -> None:
    """Something else listens on 7233, 8001 and 8002. (ours)"""
    for usual in ANY_PORTS:
        del stack.environment[usual]
    with ExitStack() as taken:
        for port in (7233, 8001, 8002):
            listener = taken.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):  # taken already: by another test's stack, say
                listener.bind((ports.HOST, port))
                listener.listen()
        code, output, errors = await stack.run("client.py", typed="What is the stock price of AAPL?\nquit\n")

    assert (code, errors) == (0, "")
    assert "$185.50" in output
    said = dict(re.findall(r"Port (\d+) is taken by something else: the .* uses (\d+)\.", output))
    assert said.keys() == {"7233", "8001", "8002"}
    assert not said.keys() & set(said.values())
    await stack.gone()


@requirement("temporal.elsewhere")
async def test_a_temporal_elsewhere_is_used_and_not_started(env: Environment, stack: TestStack) -> None:
    """`TEMPORAL_ADDRESS` names it: all but the server is started; with `--no-stack` nothing is. (ours)"""
    token = "a-token-for-this-test"
    elsewhere = {
        "TEMPORAL_ADDRESS": env.address,
        "TEMPORAL_NAMESPACE": "chats",
        "DURABLE_LOOP_MCP_TOKEN": token,
    }
    async with stack.client(**elsewhere) as terminal:
        await ask(terminal, "What is the stock price of AAPL?", "$185.50")
        assert {record.name for record in stack.state.processes} == {*PARTS} - {"temporal"}

        other = TestStack(StackFolder(stack.folder.root.with_name("other")), stack.environment | elsewhere)
        code, output, errors = await other.run("client.py", "--no-stack", typed="Calculate 15 * 23\nquit\n")
        assert (code, errors) == (0, "")
        assert "345" in output
        chats = await env.client("chats")
        assert [chat.workflow_type async for chat in chats.list_workflows()] == [names.WORKFLOW_CHAT] * 2
        finance = stack.state.finance_mcp_url
        async with httpx.AsyncClient() as http:
            assert (await http.post(finance, json={})).status_code == 401
            assert (await http.post(finance, json={}, headers={"Authorization": f"Bearer {token}"})).status_code != 401
        terminal.say("quit")
        assert await terminal.ended() == 0
    await stack.gone()
    assert not [log for log in stack.folder.log("x").parent.iterdir() if token in log.read_text()]


@requirement("security.owner-alone")
async def test_the_state_file_is_for_its_owner_alone(kept: TestStack) -> None:
    """It holds the token of the control connection. (ours)"""
    assert kept.folder.root.stat().st_mode & 0o077 == 0
    assert kept.folder.state.stat().st_mode & 0o077 == 0


@requirement("security.owner-alone")
async def test_a_caller_without_the_token_is_turned_away(kept: TestStack) -> None:
    """The connection is closed without a word, and the stack stays. (ours)"""
    for line in (b'{"token": "wrong", "operation": "down"}\n', b"nonsense\n", b"\n"):
        reader, writer = await asyncio.open_connection(ports.HOST, kept.state.control_port)
        writer.write(line)
        assert await reader.read() == b""
        writer.close()
    assert (await kept.command("status"))[0] == 0


@pytest.mark.timeout(400)
@requirement("stack.exit-codes")
async def test_starts_of_each_command_always_give_the_right_exit_code(kept: TestStack, tmp_path: Path) -> None:
    """A process that connects, calls and exits at once must not abort in its last moment. (ours; temporalio 1.35)"""
    none = TestStack(StackFolder(tmp_path), {**kept.environment, "DURABLE_LOOP_DATA_DIR": str(tmp_path)})
    few_at_a_time = asyncio.Semaphore(3)

    async def codes() -> tuple[int, ...]:
        async with few_at_a_time:
            ends = [
                await kept.run("client.py", typed="Calculate 1 + 1\nquit\n"),
                await kept.command("up"),
                await kept.command("status"),
                await none.command("status"),
                await none.command("down"),
            ]
        return tuple(code for code, _, _ in ends)

    assert await asyncio.gather(*(codes() for _ in range(STARTS))) == [(0, 0, 0, 1, 0)] * STARTS


async def is_up(stack: TestStack) -> bool:
    """Whether `status` says that every part is up."""
    code, output, errors = await stack.command("status")
    states = [line.split("\t")[1] for line in output.splitlines()]
    return (code, states, errors) == (0, ["state", *["up"] * len(PARTS)], "")


async def ask(terminal: Terminal, said: str, answered: str) -> None:
    """Say something and wait for the answer."""
    terminal.say(said)
    await terminal.shows(answered)


async def _replaced(stack: TestStack, part: str, pid: int) -> bool:
    return any(record.name == part and record.pid != pid for record in stack.state.processes)


async def _all_replaced(stack: TestStack, before: StackState) -> bool:
    state = StackState.read(stack.folder.state)
    old = {record.pid for record in before.processes}
    return (
        state is not None
        and len(state.processes) == len(before.processes)
        and not old & {record.pid for record in state.processes}
    )
