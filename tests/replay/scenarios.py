"""How each recorded history came to be: the real thing, run through the harness."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution

from durable_loop import names
from durable_loop.chat.messages import Decision, Turn, Verdict
from durable_loop.errors import TurnFailedError
from durable_loop.testing import (
    Environment,
    Expectation,
    McpTransport,
    RecordedHistory,
    Script,
    TestedChat,
    WorkerPlace,
    call,
    calls,
    fails,
    fetch_history,
    says,
)
from tests.e2e.waiting import activity_runs, eventually
from tests.replay.changed_workflow import ChangedChatWorkflow, ForgetfulChatWorkflow, changed_chat_worker

__all__ = ["SCENARIOS", "Scenario"]

Recorded = dict[str, RecordedHistory]


@dataclass(frozen=True)
class Scenario:
    """One run that gives one or several histories, each with the reason why it is kept."""

    why: dict[str, str]
    record: Callable[[Environment], Awaitable[Recorded]]
    expect: Expectation = Expectation.REPLAYS


async def one_turn(env: Environment) -> Recorded:
    """Ask and answer."""
    async with chatting(env, "one-turn", Script(says("Hello."))) as chat:
        await chat.send("Hi", turn_id="turn-1")
        return {"chat/one-turn": await chat.history()}


async def local_tool(env: Environment) -> Recorded:
    """Call a tool that is an activity of the orchestrator worker."""
    async with chatting(env, "local-tool", Script(calls("calculator", expression="15 * 23"), says("345."))) as chat:
        await chat.send("15 * 23?", turn_id="turn-1")
        return {"chat/local-tool": await chat.history()}


async def mcp_tools(env: Environment) -> Recorded:
    """Both MCP servers, and the workflows behind them."""
    script = Script(
        calls("stock_price", ticker="AAPL"),
        says("185.50."),
        calls("calculate_roi", principal=10_000, rate=5, years=10),
        says("16,288.95."),
        calls("set_jira_project", project="DEMO-123"),
        calls("get_jira_metrics"),
        calls("track_ip"),
        calls("get_ip_history"),
        says("Done."),
    )
    async with chatting(env, "mcp-tools", script) as chat:
        for number, text in enumerate(("AAPL?", "ROI?", "JIRA and IP"), start=1):
            await chat.send(text, turn_id=f"turn-{number}")
        finance = await env.client(names.NAMESPACE_FINANCE)
        it = await env.client(names.NAMESPACE_IT)
        return {
            "chat/mcp-tools": await chat.history(),
            "finance/stock-price": await found(finance, names.WORKFLOW_STOCK_PRICE, chat),
            "finance/roi": await found(finance, names.WORKFLOW_ROI, chat),
            "it/session": await found(it, names.WORKFLOW_IT_SESSION, chat),
            "it/jira-metrics": await found(it, names.WORKFLOW_JIRA_METRICS, chat),
        }


async def failed_turn(env: Environment) -> Recorded:
    """Run a tool, fail, and go on with the next turn."""
    script = Script(calls("calculator", expression="6*7"), fails("no such model", retryable=False), says("Here."))
    async with chatting(env, "failed-turn", script) as chat:
        await expect_failure(chat.send("6*7?", turn_id="turn-1"))
        await chat.send("Are you there?", turn_id="turn-2")
        return {"chat/failed-turn": await chat.history()}


async def worker_killed(_env: Environment) -> Recorded:
    """Kill the worker process while it waits for a tool; another one ends the turn.

    No finance worker runs until then, so the call cannot end before the kill.
    """
    script = Script(calls("stock_price", ticker="AAPL"), says("185.50."))
    async with (
        Environment.start(service_workers=False) as env,
        env.agent(script, workers=WorkerPlace.SUBPROCESS, mcp=McpTransport.HTTP) as agent,
    ):
        chat = agent.chat("chat-worker-killed")
        sending = asyncio.create_task(chat.send("AAPL?", turn_id="turn-1"))
        await eventually(lambda: activity_runs(chat, "temporalio.mcp.finance.call-tool"))
        if agent.worker is None:
            raise RuntimeError("the agent has no worker process")
        await agent.worker.kill()
        async with await env.finance_worker(), env.worker_process(agent.settings, script=script):
            await sending
            return {"chat/worker-killed-in-mid-turn": await chat.history()}


async def left_open(env: Environment) -> Recorded:
    """Fetch a chat while a turn is under way: what an upgrade finds in production."""
    script = Script(calls("calculator", expression="1+1"), fails("overloaded", attempts=5), says("Two."))
    async with chatting(env, "left-open", script) as chat:
        sending = asyncio.create_task(chat.send("1+1?", turn_id="turn-1"))
        await eventually(lambda: in_second_model_call(chat))
        history = await chat.history()
        await sending
        return {"chat/left-open-in-mid-turn": history}


async def continued_as_new(env: Environment) -> Recorded:
    """Hand over from one run to the next."""
    script = Script(says("Hello Ada."), says("You are Ada."))
    async with chatting(env, "continued", script, max_run_events=1) as chat:
        await chat.send("My name is Ada", turn_id="turn-1")
        first = (await chat.handle.describe()).raw_description.workflow_execution_info.first_run_id
        client = await env.client()
        handle = client.get_workflow_handle(chat.chat_id, run_id=first)
        await eventually(lambda: handed_over(chat, first))
        ended = await fetch_history(handle)
        await chat.send("Who am I?", turn_id="turn-2")
        runs = [run async for run in client.list_workflows(f"WorkflowId = '{chat.chat_id}'") if run.run_id != first]
        second = min(runs, key=lambda run: run.start_time)
        return {
            "chat/continued-as-new.first-run": ended,
            "chat/continued-as-new.next-run": await fetch_history(
                client.get_workflow_handle(chat.chat_id, run_id=second.run_id)
            ),
        }


async def session_continued(_env: Environment) -> Recorded:
    """Change an IT session so often that it hands over to its next run."""
    changes, suggested = 4, {"limit.historyCount.suggestContinueAsNew": "12"}
    script = Script(*(calls("track_ip") for _ in range(changes)), says("Done."))
    async with Environment.start(dynamic_config=suggested) as env, chatting(env, "session-continued", script) as chat:
        await chat.send("Track four addresses", turn_id="turn-1")
        it = await env.client(names.NAMESPACE_IT)
        session = names.ID_IT_SESSION + chat.chat_id

        async def first() -> WorkflowExecution | None:
            listed = it.list_workflows(f"WorkflowId = '{session}' AND ExecutionStatus = 'ContinuedAsNew'")
            return min([run async for run in listed], key=lambda run: run.start_time, default=None)

        async def there() -> bool:
            return await first() is not None

        await eventually(there)
        ended = await first()
        if ended is None:
            raise RuntimeError("the run is gone")
        handle = it.get_workflow_handle(session, run_id=ended.run_id)
        return {"it/session-continued-as-new": await fetch_history(handle)}


async def approved(env: Environment) -> Recorded:
    """Ask the user about two calls: one is allowed, about the other nobody says anything."""
    script = Script(calls(call("track_ip"), call("set_jira_project", project="DEMO")), says("Done."))
    async with env.agent(script, approval=("writing",), approval_deadline=timedelta(seconds=3)) as agent:
        chat = agent.chat("chat-asked-first")
        await chat.send_once(Turn(turn_id="turn-1", text="Do both"))
        await chat.decide(Decision(question_id="turn-1/1", verdict=Verdict.APPROVE))
        # Waiting for the turn would leave updates in the history, as many as the machine is slow.
        await eventually(lambda: is_over(chat))
        return {"chat/asked-first": await chat.history()}


async def cancelled_first(env: Environment) -> Recorded:
    """Cancel a turn before it comes."""
    async with chatting(env, "cancelled-first", Script(says("Hello."))) as chat:
        await chat.send("Hi", turn_id="turn-1")
        await chat.cancel("turn-2")
        await chat.status()  # by a query, which has no event: the cancel has had a task of its own by then
        await expect_failure(chat.send("Delete all", turn_id="turn-2"))
        return {"chat/cancelled-first": await chat.history()}


async def cancelled_too_early(env: Environment) -> Recorded:
    """Cancel a turn before it comes, in a chat that forgets that."""
    script = Script(says("Hello."), says("They are gone."))
    async with changed_chat_worker(env, script, ForgetfulChatWorkflow, "chat-cancelled-too-early") as chat:
        await chat.send("Hi", turn_id="turn-1")
        await chat.cancel("turn-2")
        await chat.status()
        await chat.send("Delete all", turn_id="turn-2")
        return {"chat/cancelled-too-early": await chat.history()}


async def changed(env: Environment) -> Recorded:
    """Run a changed workflow, with an activity that the chat does not have there."""
    async with changed_chat_worker(env, Script(says("Hello.")), ChangedChatWorkflow, "chat-changed") as chat:
        await chat.send("Hi", turn_id="turn-1")
        return {"negative/another-activity-first": await chat.history()}


SCENARIOS: Sequence[Scenario] = (
    Scenario(
        {"chat/one-turn": "The smallest chat: tools are listed, then the model is called."},
        one_turn,
    ),
    Scenario({"chat/local-tool": "Pins the order model, local tool, model."}, local_tool),
    Scenario(
        {
            "chat/mcp-tools": "Three turns over both MCP servers; tools are listed once for the whole run.",
            "finance/stock-price": "A finance call is a workflow of one activity.",
            "finance/roi": "As above, with three arguments.",
            "it/session": "Signals change the session; it stays open between calls.",
            "it/jira-metrics": "Reading metrics is a short workflow beside the session.",
        },
        mcp_tools,
    ),
    Scenario({"chat/failed-turn": "The turn boundary: a failed turn leaves a note, the next one runs."}, failed_turn),
    Scenario(
        {"chat/worker-killed-in-mid-turn": "Killed while a tool runs: another worker makes that call again."},
        worker_killed,
    ),
    Scenario(
        {"chat/asked-first": "A question is a timer: one is cancelled by the answer, one fires at the deadline."},
        approved,
    ),
    Scenario(
        {"chat/cancelled-first": "The patch `cancel-before-accept`: the cancel is there first, the turn never runs."},
        cancelled_first,
    ),
    Scenario(
        {"chat/cancelled-too-early": "From before that patch: the turn ran, and does so whenever it is replayed."},
        cancelled_too_early,
    ),
    Scenario({"chat/left-open-in-mid-turn": "Open chats are what a deployment must not break."}, left_open),
    Scenario(
        {
            "chat/continued-as-new.first-run": "The run drains and ends in continue-as-new.",
            "chat/continued-as-new.next-run": "The run that starts from what was carried over.",
        },
        continued_as_new,
    ),
    Scenario(
        {"it/session-continued-as-new": "A session's only command: without one, replay has nothing to compare."},
        session_continued,
    ),
    Scenario(
        {"negative/another-activity-first": "Written by a changed workflow: replay must notice, or it proves nothing."},
        changed,
        expect=Expectation.NONDETERMINISM,
    ),
)


@asynccontextmanager
async def chatting(
    env: Environment, name: str, script: Script, *, max_run_events: int = 1_500
) -> AsyncGenerator[TestedChat]:
    """Run an agent that speaks the script, and give a chat with it; its id is the same in every recording."""
    async with env.agent(script) as agent:
        yield agent.chat(f"chat-{name}", max_run_events=max_run_events)


async def expect_failure(turn: Awaitable[object]) -> None:
    """Wait for a turn that fails."""
    try:
        await turn
    except TurnFailedError:
        return
    raise RuntimeError("the turn did not fail")


async def found(client: Client, workflow: str, chat: TestedChat) -> RecordedHistory:
    """Fetch the history of the one workflow that the chat's call started."""

    async def ids() -> list[str]:
        listed = client.list_workflows(f"WorkflowType = '{workflow}'")
        return [execution.id async for execution in listed if chat.chat_id in execution.id]

    async def there() -> bool:
        return bool(await ids())

    await eventually(there)
    return await fetch_history(client.get_workflow_handle((await ids())[0]))


async def in_second_model_call(chat: TestedChat) -> bool:
    """Whether the turn has run its tool and called the model again."""
    status = await chat.status()
    return status.running is not None and status.model_calls > 1


async def is_over(chat: TestedChat) -> bool:
    """Whether the chat's first turn has its reply."""
    return (await chat.status()).turns == 1


async def handed_over(chat: TestedChat, run_id: str) -> bool:
    """Whether the chat is in a later run."""
    return (await chat.handle.describe()).run_id != run_id
