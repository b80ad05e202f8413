"""The harness runs agents that it knows nothing of."""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import psutil
import pytest
from agents.mcp import MCPServer, MCPServerStdio, MCPServerStdioParams, MCPServerStreamableHttp
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.openai_agents import ModelActivityParameters
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner

from durable_loop.errors import SettingsError
from durable_loop.testing import (
    CrashPoint,
    DriftFoundError,
    DurableAgent,
    Environment,
    HarnessError,
    InMemoryMCPServer,
    LeakedProcessError,
    NonDeterminismFoundError,
    RecordedHistory,
    Script,
    StuckWorkflowError,
    UnusedStepsError,
    WorkerPlace,
    calls,
    digest,
    fails_mid_stream,
    hands_off_to,
    over_http,
    says,
    streams,
)
from durable_loop.testing.leaks import OWNER_VARIABLE
from tests.harness.foreign_agents import (
    AGENT,
    AnswersNextDay,
    AsksAChild,
    AsksNobody,
    GreetsByName,
    HandsOver,
    Leaks,
    LooksAtItsReplay,
    Recites,
    SaysWhetherItReplays,
    Stumbles,
)
from tests.harness.foreign_notes import TakesNotes
from tests.harness.notes_server import notes_server
from tests.requirements import requirement

MakeServer = Callable[[], MCPServer]

PATH = "tests.harness.foreign_agents:AGENT"
SCRIPT = Script(calls("next_door", name="Ada"), says("Hello Ada, hello Grace."))


@pytest.mark.parametrize("cached", [0, 100])
@requirement("harness.any-agent")
async def test_a_foreign_workflow_runs_on_a_script(env: Environment, cached: int) -> None:
    """In this process, also where every task replays the workflow from its start. (ours)"""
    async with env.running(AGENT, SCRIPT, max_cached_workflows=cached) as agent:
        assert await agent.execute(GreetsByName.run, "I am Ada") == "Hello Ada, hello Grace."

        history = await agent.history()

    assert history.workflow_type == "GreetsByName"
    assert history.activities() == ["invoke_model_activity", "next_door", "invoke_model_activity"]


@pytest.mark.parametrize("cached", [0, 100])
@requirement("agents.handoffs")
async def test_a_foreign_workflow_hands_off_by_the_name_of_the_agent(env: Environment, cached: int) -> None:
    """The activity gets the handoffs with the request, and a history that is folded. (ours)"""
    script = Script(
        calls("next_door", name="Ada"), hands_off_to("Übersetzer"), calls("next_door", name="Eva"), says("Hallo Ada.")
    )
    async with env.running(AGENT, script, max_cached_workflows=cached) as agent:
        assert await agent.execute(HandsOver.run, "I am\nAda") == "Übersetzer: Hallo Ada."


@asynccontextmanager
async def in_memory() -> AsyncGenerator[MakeServer]:
    """Give the notes in this process."""
    yield lambda: InMemoryMCPServer("notes", notes_server())


@asynccontextmanager
async def at_a_port() -> AsyncGenerator[MakeServer]:
    """Give the notes over HTTP."""
    async with over_http(notes_server()) as url:
        yield lambda: MCPServerStreamableHttp({"url": url}, name="notes")


@asynccontextmanager
async def over_stdio() -> AsyncGenerator[MakeServer]:
    """Give the notes in a process that the worker starts."""
    command = MCPServerStdioParams(command=sys.executable, args=["-m", "tests.harness.notes_server"], cwd=Path.cwd())
    yield lambda: MCPServerStdio(command, name="notes", client_session_timeout_seconds=30)


@pytest.mark.parametrize("reach", [in_memory, at_a_port, over_stdio])
@requirement("harness.any-agent")
async def test_a_foreign_workflow_calls_the_tools_of_an_mcp_server(
    env: Environment, reach: Callable[[], AbstractAsyncContextManager[MakeServer]]
) -> None:
    """By the name that the workflow knows it by, in memory, over HTTP and over stdio. (ours)"""
    async with reach() as make_server:
        secretary = DurableAgent(workflows=[TakesNotes], mcp_servers={"notes": make_server})
        async with env.running(secretary, Script(calls("note", text="milk"), says("It is noted."))) as agent:
            assert await agent.execute(TakesNotes.run, "Note milk") == "It is noted."

            history = await agent.history()

    assert history.activities()[-2:] == ["temporalio.mcp.notes.call-tool", "invoke_model_activity"]
    assert "noted milk" in digest(history)


@requirement("harness.any-agent")
async def test_a_foreign_workflow_that_streams_needs_a_topic(env: Environment) -> None:
    """With one it gets the pieces, also where the first try of the call breaks off; without one it is told. (ours)"""
    params = ModelActivityParameters(streaming_topic="words", heartbeat_timeout=timedelta(seconds=2))
    script = Script(fails_mid_stream("connection lost", after="Hel", attempts=1), streams("Hel", "lo."))
    async with env.running(DurableAgent(workflows=[Recites], model_params=params), script) as agent:
        assert await agent.execute(Recites.run, "Hi") == "Hello."

    async with env.running(DurableAgent(workflows=[Recites]), Script()) as agent:
        with pytest.raises(WorkflowFailureError, match=r"requires ModelActivityParameters\.streaming_topic"):
            await agent.execute(Recites.run, "Hi")


@requirement("harness.unused")
async def test_a_step_that_is_not_used_fails_the_block(env: Environment) -> None:
    """As for a chat. (ours)"""
    with pytest.raises(UnusedStepsError, match=r"turn 2, model call 1.*nobody asks"):
        async with env.running(AGENT, Script(*SCRIPT.steps, says("nobody asks"))) as agent:
            await agent.execute(GreetsByName.run, "I am Ada")


@requirement("harness.unscripted")
async def test_a_model_call_without_a_step_fails_the_workflow_in_words(env: Environment) -> None:
    """With what was said, what the tools gave, and the nearest step; the first line is what pytest ends with. (ours)"""
    async with env.running(AGENT, Script(calls("next_door", name="Ada"))) as agent:
        with pytest.raises(WorkflowFailureError) as failed:
            await agent.execute(GreetsByName.run, "I am Ada")

    first, *lines = str(failed.value).splitlines()
    assert first == "UnscriptedModelCallError: The script has no step for turn 1, model call 2."
    assert lines[:4] == [
        "The transcript so far:",
        "  user: I am Ada",
        '  tool: next_door({"name":"Ada"})',
        "  next_door gave: Ada's neighbour is Grace",
    ]


@requirement("harness.fast-forward")
async def test_days_pass_in_a_moment(env: Environment) -> None:
    """Timers, and retries with an hour between them. (ours)"""
    async with env.running(AGENT, Script()) as agent:
        handle = await agent.start(AnswersNextDay.run)
        await env.fast_forward(handle, timedelta(days=2))

        assert await handle.result() == 3

        started, *_, ended = [event.event_time.ToDatetime() async for event in handle.fetch_history_events()]
    assert ended - started > timedelta(hours=25)


async def test_a_worker_process_that_is_killed_is_started_again(env: Environment) -> None:
    """Or let go on, where it only stopped. (ours)"""
    async with env.running(PATH, SCRIPT, workers=WorkerPlace.SUBPROCESS) as agent:
        agent.crash_points.arm(CrashPoint.BEFORE_ACTIVITY)
        handle = await agent.start(GreetsByName.run, "I am Ada")
        killed = await agent.kill_at(CrashPoint.BEFORE_ACTIVITY)
        assert killed.pid is None
        agent.crash_points.arm(CrashPoint.BEFORE_MODEL_CALL)
        await agent.heal()
        stopped = await agent.crash_points.reached(CrashPoint.BEFORE_MODEL_CALL)
        assert stopped.pid == killed.pid
        await agent.heal()

        assert await handle.result() == "Hello Ada, hello Grace."


@pytest.mark.parametrize("place", WorkerPlace)
@requirement("harness.leaks")
async def test_a_process_that_an_activity_leaves_behind_is_found_and_ended(place: WorkerPlace) -> None:
    """The environment fails at its end, and names it; wherever the worker ran. (ours)"""
    left: list[int] = []

    async def leave_one() -> None:
        async with Environment.start(service_workers=False) as env, env.running(PATH, Script(), workers=place) as agent:
            left.append(await agent.execute(Leaks.run))
            assert psutil.pid_exists(left[0])

    with pytest.raises(LeakedProcessError, match=r"(?s)killed:\n  \d+: .*sleep\(600\)") as found:
        await leave_one()

    assert len(found.value.processes) == 1
    assert left[0] not in {process.pid for process in psutil.process_iter() if process.status() != psutil.STATUS_ZOMBIE}


async def test_what_the_interpreter_starts_for_itself_is_no_leak() -> None:
    """It ends with the interpreter: a fork server, and what that has forked for a pool. (ours)"""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        async with Environment.start(service_workers=False):
            await asyncio.get_running_loop().run_in_executor(pool, print)
        await asyncio.get_running_loop().run_in_executor(pool, print)


async def test_an_environment_takes_nothing_of_another_one_for_its_own() -> None:
    """Nor the other's server, whichever ends first; and what is started afterwards is nobody's. (ours)"""
    before = os.environ.get(OWNER_VARIABLE)
    async with AsyncExitStack() as later:
        async with Environment.start(service_workers=False):
            env = await later.enter_async_context(Environment.start(service_workers=False))
        async with env.running(AGENT, SCRIPT) as agent:
            assert await agent.execute(GreetsByName.run, "I am Ada") == "Hello Ada, hello Grace."

    assert os.environ.get(OWNER_VARIABLE) == before


async def test_what_is_wrong_with_an_agent_is_said_in_words(env: Environment) -> None:
    """Before anything starts. (ours)"""
    with pytest.raises(
        SettingsError, match=r"No agent at 'tests.harness.foreign_agents:NONE'.*Write package.module:NAME"
    ):
        async with env.running("tests.harness.foreign_agents:NONE", SCRIPT):
            pass
    with pytest.raises(SettingsError, match="is type, and no DurableAgent"):
        async with env.running("tests.harness.foreign_agents:GreetsByName", SCRIPT):
            pass
    with pytest.raises(TypeError, match="name it by its path"):
        async with env.running(AGENT, SCRIPT, workers=WorkerPlace.SUBPROCESS):
            pass
    steps = cast("Script", [says("x")])  # a test without types
    for running in (env.running(AGENT, steps), env.agent(steps)):
        with pytest.raises(TypeError, match=r"A model speaks a Script, and this is \[Says\(.*write Script\(says"):
            async with running:
                pass
    async with env.running(AGENT, Script()) as agent:
        with pytest.raises(HarnessError, match="Only a worker process can be killed"):
            _ = agent.crash_points
        with pytest.raises(HarnessError, match="there is no history yet"):
            await agent.history()


@requirement("harness.fresh-replay")
async def test_a_workflow_that_is_not_deterministic_fails_the_block(env: Environment) -> None:
    """Every history is replayed at the end. (ours)"""
    with pytest.raises(NonDeterminismFoundError, match="does not replay"):
        async with env.running(AGENT, Script()) as agent:
            await agent.execute(LooksAtItsReplay.run)


@requirement("harness.fresh-replay")
async def test_a_workflow_that_sends_something_else_when_it_is_replayed_fails_the_block(env: Environment) -> None:
    """Its commands are the same, and a chat would go on otherwise than it began. (ours)"""
    with pytest.raises(DriftFoundError, match=r'activity next_door \(1\): argument changed: "first" → "again"'):
        async with env.running(AGENT, Script()) as agent:
            await agent.execute(SaysWhetherItReplays.run)


async def test_a_second_try_and_a_child_are_replayed_with_the_workflow_that_had_them(env: Environment) -> None:
    """What they send differs in a replay, which fails the block. (ours)"""
    histories: list[RecordedHistory] = []
    with pytest.raises(DriftFoundError, match=r'-child replays.*\n.*argument changed: "first" → "again"'):  # noqa: PT012
        async with env.running(AGENT, Script()) as agent:
            handle = await agent.client.start_workflow(
                AsksAChild.run,
                id="asks-a-child",
                task_queue=agent.task_queue,
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
            )
            await handle.result()
            histories += await agent.histories()

    assert [history.workflow_type for history in histories] == ["AsksAChild", "AsksAChild", "SaysWhetherItReplays"]


async def test_a_workflow_that_is_stuck_is_not_waited_for_in_silence(env: Environment) -> None:
    """The activity that nobody has is named. (ours)"""
    async with env.running(AGENT, Script()) as agent:
        with pytest.raises(
            StuckWorkflowError, match=r"(?s)activity not_registered, attempt \d+, which fails: .*regist"
        ):
            await agent.execute(AsksNobody.run, workflow_id="asks-nobody", patience=timedelta(seconds=2))
        await agent.client.get_workflow_handle("asks-nobody").terminate()


async def test_the_options_of_a_worker_are_those_of_the_replay(env: Environment) -> None:
    """What fails a workflow, its sandbox, interceptors. (ours)"""
    options = {
        "workflow_failure_exception_types": [KeyError],
        "workflow_runner": UnsandboxedWorkflowRunner(),
        "interceptors": [Interceptor()],
    }
    async with env.running(DurableAgent(workflows=[Stumbles], worker_options=options), Script()) as agent:
        with pytest.raises(WorkflowFailureError, match="KeyError: 'nothing'"):
            await agent.execute(Stumbles.run)

        assert (await agent.history()).count("EVENT_TYPE_WORKFLOW_EXECUTION_FAILED") == 1
