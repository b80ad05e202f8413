"""The orchestrator worker, killed at the crash points of a turn: one reply, one effect, nothing forgotten."""

import asyncio
from pathlib import Path

import psutil
import pytest

from durable_loop import names
from durable_loop.services.it.messages import IpHistory
from durable_loop.testing import (
    CrashPoint,
    CrashPoints,
    Environment,
    McpTransport,
    Script,
    TestedChat,
    WorkerPlace,
    calls,
    says,
)
from durable_loop.testing.crash import INTERCEPTOR
from tests.e2e.waiting import eventually

SCRIPT = Script(
    says("Hello Ada."),
    calls("calculator", expression="15 * 23"),
    calls("stock_price", ticker="AAPL"),
    calls("track_ip"),
    says("345, 185.50, tracked."),
    says("You are Ada."),
)
MESSAGES = ("My name is Ada", "Calculate, look up and track", "Who am I?")
UNDISTURBED = [
    ("user", "My name is Ada"),
    ("agent", "Hello Ada."),
    ("user", "Calculate, look up and track"),
    ("tool", 'calculator({"expression":"15 * 23"})'),
    ("tool", 'stock_price({"ticker":"AAPL"})'),
    ("tool", "track_ip({})"),
    ("agent", "345, 185.50, tracked."),
    ("user", "Who am I?"),
    ("agent", "You are Ada."),
]
# The tools of a chat are listed in its first turn, once for the whole run; the rest is in the second.
IN_FIRST_TURN = frozenset({CrashPoint.BEFORE_TOOL_LISTING, CrashPoint.AFTER_TOOL_LISTING})
# Points that a turn of this script comes to: a signal only comes with cancel, end or compact.
POINTS = [point for point in CrashPoint if point is not CrashPoint.SIGNAL_RECEIVED]


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_a_crash_point_loses_and_repeats_nothing(
    env: Environment, tmp_path: Path, point: CrashPoint
) -> None:
    """Another worker goes on: the transcript is the one of an undisturbed run, each tool call has one effect. (ours)"""
    crash = CrashPoints(tmp_path)
    disturbed = 0 if point in IN_FIRST_TURN else 1

    async with env.agent(
        SCRIPT,
        workers=WorkerPlace.SUBPROCESS,
        mcp=McpTransport.HTTP,
        interceptors=(INTERCEPTOR,),
        environment=crash.environment,
    ) as agent:
        # Every turn continues as new where that is the place, none does elsewhere.
        chat = agent.chat(max_run_events=1 if point is CrashPoint.CONTINUING_AS_NEW else 4_000)
        for message in MESSAGES[:disturbed]:
            await chat.send(message)
        crash.arm(point)
        sending = asyncio.create_task(chat.send(MESSAGES[disturbed]))
        stopped = await crash.reached(point)
        assert agent.worker is not None
        assert stopped.pid == agent.worker.pid
        await agent.worker.kill()

        async with env.worker_process(agent.settings, script=SCRIPT, environment=crash.environment):
            await sending
            for message in MESSAGES[disturbed + 1 :]:
                await chat.send(message)

            assert [(line.role, line.text) for line in await chat.transcript()] == UNDISTURBED
            assert (await stock_prices(env, chat), await tracked_addresses(env, chat)) == (1, 1)
            assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


async def test_a_process_stops_at_an_armed_point_alone_and_goes_on_when_it_is_let(
    env: Environment, tmp_path: Path
) -> None:
    """Without this, the test above could pass with nobody stopped. (ours)"""
    crash = CrashPoints(tmp_path)

    async with env.agent(
        Script(says("Hello."), says("Again.")),
        workers=WorkerPlace.SUBPROCESS,
        mcp=McpTransport.HTTP,
        interceptors=(INTERCEPTOR,),
        environment=crash.environment,
    ) as agent:
        chat = agent.chat()
        assert (await chat.send("Hi")).text == "Hello."

        crash.arm(CrashPoint.IN_MODEL_CALL)
        sending = asyncio.create_task(chat.send("And now?"))
        stopped = await crash.reached(CrashPoint.IN_MODEL_CALL)
        await eventually(lambda: is_stopped(stopped.pid))
        assert not sending.done()
        stopped.go_on()

        assert (await sending).text == "Again."
        assert armed(tmp_path) == []


def armed(folder: Path) -> list[str]:
    """Return the points that would still stop a process."""
    return [file.name for file in folder.iterdir()]


async def is_stopped(pid: int) -> bool:
    """Whether the process stands still."""
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


async def stock_prices(env: Environment, chat: TestedChat) -> int:
    """Return how many workflows stand behind the chat's calls of `stock_price`."""
    finance = await env.client(names.NAMESPACE_FINANCE)
    listed = finance.list_workflows(f"WorkflowType = '{names.WORKFLOW_STOCK_PRICE}'")
    return len([execution async for execution in listed if chat.chat_id in execution.id])


async def tracked_addresses(env: Environment, chat: TestedChat) -> int:
    """Return how many addresses the chat's IT session has tracked."""
    it = await env.client(names.NAMESPACE_IT)
    session = it.get_workflow_handle(names.ID_IT_SESSION + chat.chat_id)
    return (await session.query(names.QUERY_IP_HISTORY, result_type=IpHistory)).tracked
