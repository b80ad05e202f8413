"""A live chat under random interleavings, with real workers that are killed meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from durable_loop import names
from durable_loop.chat.messages import Reply
from durable_loop.errors import ChatEndedError, TurnCancelledError
from durable_loop.testing import (
    Agent,
    CrashPoint,
    CrashPoints,
    Environment,
    McpTransport,
    RecordedHistory,
    Script,
    TestedChat,
    WorkerPlace,
    fetch_runs,
    replay_history,
    says,
)
from durable_loop.testing.crash import INTERCEPTOR
from durable_loop.testing.own_agent import CHAT
from tests.e2e.waiting import eventually
from tests.requirements import requirement

pytestmark = [pytest.mark.timeout(300), pytest.mark.reduced]

# Counted from the newest turn, where most can still happen.
PLACES = st.integers(min_value=0, max_value=6)
MEANWHILE = st.tuples(
    st.sampled_from(["send again", "wait for", "cancel", "cancel", "summarise", "kill"]),
    PLACES,
)
# Each round sends some messages at once, and then things happen.
ROUND = st.tuples(st.tuples(st.just("send"), st.integers(min_value=2, max_value=5)), MEANWHILE, MEANWHILE)
PLANS = st.tuples(st.lists(ROUND, min_size=2, max_size=3), st.booleans())

# So that each thing is known to happen, whatever is drawn.
EVERYTHING = (
    [
        (("send", 4), ("cancel", 0), ("kill", 0)),
        (("send", 3), ("send again", 5), ("summarise", 0)),
        (("send", 2), ("wait for", 1), ("cancel", 1)),
    ],
    False,
)


class Workers:
    """One real orchestrator worker at a time; whoever kills it starts the next."""

    def __init__(self, env: Environment, agent: Agent, running: AsyncExitStack) -> None:
        self.agent = agent
        self._env = env
        self._running = running
        self._worker = agent.worker

    async def kill(self) -> None:
        """Kill the worker and start another."""
        if self._worker is None:
            raise RuntimeError("the agent has no worker process")
        await self._worker.kill()
        self._worker = await self._running.enter_async_context(self._env.worker_process(self.agent.settings))


@pytest.fixture(name="workers", scope="module")
async def _workers(env: Environment) -> AsyncGenerator[Workers]:
    async with (
        env.agent(None, workers=WorkerPlace.SUBPROCESS, mcp=McpTransport.HTTP) as agent,
        AsyncExitStack() as running,
    ):
        yield Workers(env, agent, running)


@dataclass
class Talk:
    """What was sent to one chat, and what came back."""

    workers: Workers
    chat: TestedChat
    texts: dict[str, str] = field(default_factory=dict[str, str])
    sending: list[tuple[str, asyncio.Task[Reply]]] = field(default_factory=list[tuple[str, asyncio.Task[Reply]]])
    cancelled: set[str] = field(default_factory=set[str])

    async def does(self, event: str, number: int) -> None:
        """Do the next thing of a plan; messages are sent and not waited for."""
        match event:
            case "send":
                for _ in range(number):
                    place = len(self.texts) + 1
                    self.texts[f"turn-{place}"] = f"Calculate {place} * 1000003"
                    self.send(f"turn-{place}")
            case "send again":
                self.send(self._turn(number))
            case "wait for":
                await asyncio.wait([self.sending[-1 - number % len(self.sending)][1]])
            case "cancel":
                turn_id = self._turn(number)
                await eventually(lambda: self._is_accepted(turn_id), timeout=60)
                self.cancelled.add(turn_id)
                await self.chat.cancel(turn_id)
            case "summarise":
                await self.chat.compact()
            case _:
                await self.workers.kill()

    def send(self, turn_id: str) -> None:
        """Send a turn, for the first time or again."""
        task = asyncio.create_task(self.chat.send(self.texts[turn_id], turn_id=turn_id))
        self.sending.append((turn_id, task))

    async def outcomes(self) -> dict[str, Reply | TurnCancelledError | ChatEndedError]:
        """Return what each turn came to; every sender of a turn heard the same."""
        results = await asyncio.gather(*(task for _, task in self.sending), return_exceptions=True)
        outcomes: dict[str, Reply | TurnCancelledError | ChatEndedError] = {}
        for (turn_id, _), result in zip(self.sending, results, strict=True):
            assert isinstance(result, (Reply, TurnCancelledError, ChatEndedError)), result
            first = outcomes.setdefault(turn_id, result)
            assert repr(first) == repr(result)
        return outcomes

    async def _is_accepted(self, turn_id: str) -> bool:
        status = await self.chat.status()
        over = any(sent == turn_id and task.done() for sent, task in self.sending)
        return over or turn_id in (status.running, *status.waiting)

    def _turn(self, number: int) -> str:
        return list(self.texts)[-1 - number % len(self.texts)]


@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@example(plan=EVERYTHING)
@given(plan=PLANS)
@requirement("durability.order")
async def test_whatever_happens_each_message_has_its_own_reply_in_the_order_accepted(
    env: Environment, workers: Workers, plan: tuple[list[tuple[tuple[str, int], ...]], bool]
) -> None:
    """Send, send again, cancel, summarise, kill -9, continue as new, end; no workflow task fails. (ours)"""
    rounds, ends = plan
    # Small enough that a chat continues as new after every other turn or so.
    chat = workers.agent.chat(max_run_events=30)
    talk = Talk(workers, chat)
    await talk.does("send", 1)
    await talk.does("wait for", 0)

    for event, number in (step for steps in rounds for step in steps):
        await talk.does(event, number)
    if ends:
        await chat.end()
    outcomes = await talk.outcomes()
    if ends:
        await chat.handle.result()

    runs = await fetch_runs(await env.client(), chat.chat_id)
    accepted = list(dict.fromkeys(turn_id for run in runs for turn_id in turns_accepted(run)))
    for turn_id, outcome in outcomes.items():
        assert is_right(talk, turn_id, outcome, accepted)
        assert ends or not isinstance(outcome, ChatEndedError)

    status = await chat.status()
    spoken = [line.text for line in await chat.transcript() if line.role == "user"]
    assert spoken == [text for text in (talk.texts[turn_id] for turn_id in accepted) if text in spoken]
    assert status.summarised + len(spoken) == status.turns
    answered = [talk.texts[turn_id] for turn_id in accepted if isinstance(outcomes[turn_id], Reply)]
    kept = [text for text in spoken if text in answered]
    assert kept == answered[len(answered) - len(kept) :]
    assert len(answered) - len(kept) <= status.summarised

    if not ends:
        for turn_id in talk.texts:
            talk.send(turn_id)
        assert repr(await talk.outcomes()) == repr(outcomes)
        assert (await chat.status()).turns == status.turns
        runs = await fetch_runs(await env.client(), chat.chat_id)
    assert len(runs) > 1
    for run in runs:
        assert run.failed_workflow_tasks == []
        await replay_history(run, CHAT.replayer)


@requirement("temporal.message-as-run-ends")
async def test_a_message_that_arrives_as_a_run_ends_is_not_lost(env: Environment, tmp_path: Path) -> None:
    """The server gives the last task once more, and writes it down as failed: that alone is no fault. (Temporal)"""
    crash = CrashPoints(tmp_path)

    async with env.agent(
        Script(says("Hello."), says("Again.")),
        workers=WorkerPlace.SUBPROCESS,
        mcp=McpTransport.HTTP,
        interceptors=(INTERCEPTOR,),
        environment=crash.environment,
    ) as agent:
        chat = agent.chat(max_run_events=1)
        crash.arm(CrashPoint.CONTINUING_AS_NEW)
        sending = asyncio.create_task(chat.send("Hi"))
        stopped = await crash.reached(CrashPoint.CONTINUING_AS_NEW)
        await chat.compact()
        stopped.go_on()

        assert (await sending).text == "Hello."
        assert (await chat.send("And now?")).text == "Again."
        first, *_ = await fetch_runs(await env.client(), chat.chat_id)
        assert first.next_run_id is not None
        assert first.count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 1
        assert first.count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 1
        assert first.failed_workflow_tasks == []


def is_right(
    talk: Talk, turn_id: str, outcome: Reply | TurnCancelledError | ChatEndedError, accepted: Sequence[str]
) -> bool:
    """Whether this is the turn's own reply, or the reason why it has none is true."""
    match outcome:
        case Reply():
            product = str(int(turn_id.removeprefix("turn-")) * 1000003)
            return outcome.turn_id == turn_id and product in outcome.text.replace(",", "")
        case TurnCancelledError():
            return turn_id in talk.cancelled
        case ChatEndedError():
            return turn_id not in accepted


def turns_accepted(run: RecordedHistory) -> list[str]:
    """Return the turns that a run took, in order."""
    requests = (
        event.workflow_execution_update_accepted_event_attributes.accepted_request
        for event in run.for_replay().events
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    )
    return [request.meta.update_id for request in requests if request.input.name == names.UPDATE_SEND_MESSAGE]
