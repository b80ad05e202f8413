"""Long chats and long turns: histories that grow with what is said, and a transcript that stays short."""

from itertools import pairwise
from typing import Any

import pytest
from agents.testing import assistant_message, function_call
from temporalio.api.enums.v1 import EventType

from durable_loop.chat.bounds import MAX_CALLS_AT_ONCE
from durable_loop.chat.compaction import SUMMARY_INSTRUCTIONS
from durable_loop.errors import TurnFailedError
from durable_loop.testing import Environment, McpTransport, Script, TestedChat, calls, fails, over_http, says
from tests.e2e.answering import AnsweringModel
from tests.e2e.hostile import rough_tools
from tests.e2e.mcp_http import NOWHERE
from tests.e2e.soundness import Limits, Run, check_run, size, sound_runs
from tests.e2e.waiting import eventually
from tests.requirements import requirement

ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW


class Listener(AnsweringModel):
    """Answers with the number of its call and keeps what it was asked: instructions and input."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[Any]]] = []

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:
        """Answer."""
        self.asked.append((instructions, items))
        is_summary = instructions == SUMMARY_INSTRUCTIONS
        text = "They counted." if is_summary else f"answer {len(self.asked)}"
        return [assistant_message(text)]


class Eager(Listener):
    """Calls ten tools at a time and never comes to an answer, until it is told to stop."""

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:  # noqa: ARG002 - the same for all
        """Call, or stop."""
        if any(item.get("content") == "stop" for item in items):
            return [assistant_message("Stopped.")]
        return [
            function_call("calculator", {"expression": "1+1"}, call_id=f"{len(items)}_{number}") for number in range(10)
        ]


class Greedy(AnsweringModel):
    """Calls as many tools at once as are taken, until it is told to stop; no result is so large that it is cut."""

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:  # noqa: ARG002 - the same for all
        """Call, or stop."""
        if items[-1].get("content") == "stop":
            return [assistant_message("Stopped.")]
        return [
            function_call("characters", {"number": 31_500}, call_id=f"{len(items)}_{number}")
            for number in range(MAX_CALLS_AT_ONCE)
        ]


def turns_of(run: Run) -> list[int]:
    """Return the bytes of each turn of a run, but the last."""
    begins = [number for number, event in enumerate(run) if event.event_type == ACCEPTED]
    return [size(run[begin:end]) for begin, end in pairwise(begins)]


@requirement("durability.linear")
async def test_a_history_grows_with_what_is_said_and_not_with_its_square(env: Environment) -> None:
    """120 turns of 1 kB with a tool each, eight tools offered: 2.5 MB at most, later turns are no larger. (ours)"""
    turns = 120
    steps = [step for _ in range(turns) for step in (calls("stock_price", ticker="AAPL"), says("r" * 500))]

    async with env.agent(Script(*steps)) as agent:
        chat = agent.chat()
        for _ in range(turns):
            await chat.send("m" * 1_000)
    runs = await sound_runs(env, chat)
    assert len(runs) > 1
    assert sum(size(run) for run in runs) < 2_500_000
    for run in runs:
        # The first turn of a run lists the tools too.
        _, *turns = turns_of(run)
        assert len(turns) > 20
        assert max(turns[-10:]) < min(turns[:10]) * 1.05


@requirement("durability.long-turn")
async def test_a_turn_of_a_hundred_tool_calls_fits_its_run(env: Environment) -> None:
    """With results of 5 kB each: 4 MB of history at most, in one run of the chat. (ours)"""
    steps = (calls("characters", number=5_000) for _ in range(100))

    async with (
        over_http(rough_tools()) as url,
        env.agent(
            Script(*steps, says("Done.")),
            mcp=McpTransport.SETTINGS,
            finance_mcp_url=url,
            it_mcp_url=NOWHERE,
            max_model_calls=101,
        ) as agent,
    ):
        chat = agent.chat()
        assert (await chat.send("a hundred, please")).text == "Done."

        (run,) = await sound_runs(env, chat)
        assert sum(event.HasField("activity_task_completed_event_attributes") for event in run) > 200
        assert 500_000 < size(run) < 4_000_000


@requirement("durability.long-turn")
async def test_the_largest_turn_there_can_be_fits_its_run(env: Environment) -> None:
    """Every call that is taken, every byte that is kept, as often as it goes; the chat goes on. (ours)"""
    async with (
        over_http(rough_tools()) as url,
        env.agent(Greedy(), mcp=McpTransport.SETTINGS, finance_mcp_url=url, it_mcp_url=NOWHERE) as agent,
    ):
        chat = agent.chat()
        with pytest.raises(TurnFailedError, match="The turn has grown too long"):
            await chat.send("all you have")
        assert (await chat.send("stop")).text == "Stopped."

        full, _ = await sound_runs(env, chat)
        assert size(full) > chat.start.policy.full_run_bytes


async def test_a_run_that_is_too_large_is_seen(env: Environment) -> None:
    """The teeth of what every test here asks of every run. (ours)"""
    async with env.agent(Listener()) as agent:
        chat = agent.chat()
        await chat.send("hello")
        (run,) = await sound_runs(env, chat)

    largest = max(event.ByteSize() for event in run)
    for most in (Limits(events=len(run) - 1), Limits(run_bytes=size(run) - 1), Limits(event_bytes=largest)):
        with pytest.raises(AssertionError):
            check_run(run, most)


@requirement("temporal.history-size")
async def test_a_chat_continues_as_new_when_its_history_has_many_bytes(env: Environment) -> None:
    """Between turns; the memory comes along. (ours)"""
    script = Script(*(says(f"{number} " + "r" * 10_000) for number in range(8)))

    async with env.agent(script) as agent:
        chat = agent.chat(max_run_bytes=80_000)
        for number in range(8):
            assert (await chat.send(str(number))).text.startswith(f"{number} ")

        runs, one_turn = await sound_runs(env, chat), 40_000
        assert len(runs) > 1
        assert all(size(run[1:-1]) < 80_000 + one_turn for run in runs)
        assert (await chat.status()).turns == 8


@requirement("durability.summary")
async def test_past_its_budget_old_turns_become_a_summary_that_enters_the_next_input(env: Environment) -> None:
    """The summary request holds the old turns; the last turns stay verbatim; the summary goes through runs. (ours)"""
    listener = Listener()

    async with env.agent(listener) as agent:
        chat = agent.chat(max_transcript_tokens=1_000, max_run_events=1)
        for number in range(1, 6):
            await chat.send(f"message {number} " + "x" * 800)
        await chat.send("last")

        requests = [items for instructions, items in listener.asked if instructions == SUMMARY_INSTRUCTIONS]
        assert len(requests) == 1
        (request,) = requests[0]
        assert all(f"user: message {number} x" in request["content"] for number in range(1, 4))
        assert "assistant: answer 2" in request["content"]
        assert "message 4" not in request["content"]

        _, asked = listener.asked[-1]
        assert asked[0] == {
            "role": "user",
            "content": "[Summary of turns 1 to 3, written by the model]\nThey counted.",
        }
        assert str(asked[1]["content"]).startswith("message 4 x")
        assert asked[-1]["content"] == "last"
        status = await chat.status()
        assert (status.turns, status.summarised) == (6, 3)
        assert (await chat.transcript())[0].role == "note"
        assert len(await sound_runs(env, chat)) == 6


async def test_a_summary_is_made_when_it_is_asked_for(env: Environment) -> None:
    """By signal, at any time; all turns but the last. (ours)"""
    listener = Listener()

    async with env.agent(listener) as agent:
        chat = agent.chat()
        for text in ("one", "two", "three"):
            await chat.send(text)

        await chat.compact()
        await eventually(lambda: summarised(chat, 2))

        await chat.send("four")
        _, asked = listener.asked[-1]
        assert [item["content"] for item in asked if item["role"] == "user"] == [
            "[Summary of turns 1 to 2, written by the model]\nThey counted.",
            "three",
            "four",
        ]
        assert (await chat.history()).activities().count("invoke_model_activity") == 5


async def test_a_script_goes_on_behind_a_summary(env: Environment) -> None:
    """The fake model finds its place by the turns, those in a summary included. (ours)"""
    script = Script(says("1"), calls("calculator", expression="1+1"), says("2"), says("3"), summary=says("One, two."))

    async with env.agent(script) as agent:
        chat = agent.chat()
        assert [(await chat.send(text)).text for text in ("a", "b")] == ["1", "2"]
        await chat.compact()
        await eventually(lambda: summarised(chat, 1))
        assert (await chat.send("c")).text == "3"
        assert "One, two." in (await chat.transcript())[0].text


async def test_a_chat_whose_summary_fails_keeps_its_turns_as_long_as_it_can(env: Environment) -> None:
    """Then the oldest are left out, and a line says so. (ours)"""
    script = Script(*(says("r" * 800) for _ in range(8)), summary=fails("no summaries today", retryable=False))

    async with env.agent(script) as agent:
        chat = agent.chat(max_transcript_tokens=1_000)
        for _ in range(6):
            await chat.send("x" * 100)
        assert (await chat.status()).summarised == 0
        for _ in range(2):
            await chat.send("x" * 100)

        first, *_ = await chat.transcript()
        assert first.text.endswith("are left out: the chat grew too long and no summary could be made.]")
        assert (await chat.status()).turns == 8
        await sound_runs(env, chat)


@requirement("durability.summary")
async def test_the_offline_model_remembers_across_a_summary(env: Environment) -> None:
    """What the user told stays in their words. (ours)"""
    async with env.agent(None) as agent:
        chat = agent.chat()
        for text in ("My name is Ada", "What is 2+2?", "Hello"):
            await chat.send(text)
        await chat.compact()
        await eventually(lambda: summarised(chat, 2))

        assert (await chat.send("What is my name?")).text == "Your name is Ada."


@pytest.mark.parametrize("limit", [{"full_run_events": 60}, {"full_run_bytes": 12_000}], ids=["events", "bytes"])
@requirement("temporal.history-size")
async def test_a_turn_that_fills_its_run_is_stopped_and_the_chat_goes_on(
    env: Environment, limit: dict[str, Any]
) -> None:
    """Before the server would end the chat; the next turn runs in a run of its own. (ours)"""
    async with env.agent(Eager()) as agent:
        chat = agent.chat(max_run_events=50, **limit)
        with pytest.raises(TurnFailedError, match="The turn has grown too long: ask for less at once"):
            await chat.send("count")
        assert (await chat.send("stop")).text == "Stopped."
        assert [run[-1].event_type for run in await sound_runs(env, chat)][:-1] == [CONTINUED]


async def summarised(chat: TestedChat, turns: int) -> bool:
    """Whether so many turns are only a summary now."""
    return (await chat.status()).summarised == turns
