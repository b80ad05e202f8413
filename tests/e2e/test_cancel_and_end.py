"""Cancelling a turn in the midst of whatever it does, and ending a chat that is at work."""

import asyncio
import gc
from typing import Any

import pytest

from durable_loop import names
from durable_loop.chat.client import Chat, new_chat_id
from durable_loop.chat.messages import ChatInput
from durable_loop.errors import ChatEndedError, TurnCancelledError
from durable_loop.testing import Environment, McpTransport, Script, TestedChat, over_http, says
from tests.e2e.hostile import NEXT, Garbage, Poisoner, Slow, called, garbage_server, rough_tools
from tests.e2e.mcp_http import NOWHERE
from tests.e2e.waiting import activity_runs, eventually
from tests.requirements import requirement


@requirement("durability.cancel")
async def test_a_cancelled_turn_is_over_at_once_and_its_model_call_hears_of_it(env: Environment) -> None:
    """The caller does not wait for the model; what was said stays, with a note. (ours)"""
    slow = Slow()

    async with env.agent(slow) as agent:
        chat = agent.chat()
        sending = asyncio.create_task(chat.send("one", turn_id="t1"))
        await slow.asked.wait()
        await chat.cancel("t1")
        with pytest.raises(TurnCancelledError):
            await sending
        await slow.broken_off.wait()

        slow.let.set()
        assert (await chat.send("two")).text == "two"
        assert [(line.role, line.text.partition(":")[0]) for line in await chat.transcript()] == [
            ("user", "one"),
            ("note", "[This turn has no answer"),
            ("user", "two"),
            ("agent", "two"),
        ]


async def test_a_turn_can_be_cancelled_while_a_tool_works(env: Environment) -> None:
    """In the midst of an MCP call that would never end. (ours)"""
    sleeper = Poisoner(called("sleep_for_ever", "{}"))

    async with (
        over_http(rough_tools()) as url,
        env.agent(sleeper, mcp=McpTransport.SETTINGS, finance_mcp_url=url, it_mcp_url=NOWHERE) as agent,
    ):
        await is_cancelled_during(agent.chat(), "finance.call-tool")


async def test_a_turn_can_be_cancelled_while_tools_are_listed(env: Environment) -> None:
    """Of a server that never answers. (ours)"""
    async with (
        garbage_server(Garbage.raw(None)) as server,
        env.agent(Poisoner(), mcp=McpTransport.SETTINGS, finance_mcp_url=server.url, it_mcp_url=NOWHERE) as agent,
    ):
        await is_cancelled_during(agent.chat(), "finance.list-tools")


async def test_a_cancel_for_a_turn_that_is_over_or_unknown_changes_nothing(env: Environment) -> None:
    """Nor does a second one. (ours)"""
    slow = Slow()
    slow.let.set()

    async with env.agent(slow) as agent:
        chat = agent.chat()
        await chat.send("one", turn_id="t1")
        for turn_id in ("t1", "t1", "no-such-turn"):
            await chat.cancel(turn_id)

        assert (await chat.send("one", turn_id="t1")).text == "one"
        assert (await chat.send("two")).text == "two"


@requirement("durability.cancel")
async def test_a_message_that_is_cancelled_before_a_worker_takes_it_up_never_runs(env: Environment) -> None:
    """Its sender has left by then: the cancel is in the history, the message is not. (ours)"""
    queue = new_chat_id()
    chat = Chat(await env.client(), new_chat_id(), ChatInput(model=names.MODEL_OFFLINE), task_queue=queue)

    sending = asyncio.create_task(chat.send("Delete all", turn_id="t1"))
    await eventually(lambda: is_begun(chat))
    await chat.cancel("t1")
    sending.cancel()
    await asyncio.wait({sending})

    async with env.agent(Script(says("Hello.")), orchestrator_queue=queue):
        assert (await chat.send("Hello", turn_id="t2")).text == "Hello."
        with pytest.raises(TurnCancelledError):
            await chat.send("Delete all", turn_id="t1")
        assert [outcome.turn_id for outcome in await chat.settled(after=None)] == ["t1", "t2"]
        assert [line.text for line in await chat.transcript()] == ["Hello", "Hello."]


@requirement("durability.end")
async def test_an_ended_chat_answers_what_it_accepted_and_takes_nothing_more(env: Environment) -> None:
    """The turn that runs and those that wait have their replies; then the workflow is complete. (ours)"""
    slow = Slow()

    async with env.agent(slow) as agent:
        chat = agent.chat()
        sending = [asyncio.create_task(chat.send(f"message {number}")) for number in range(3)]
        await eventually(lambda: is_accepted(chat, 3))
        await chat.end()
        with pytest.raises(ChatEndedError, match="was ended"):
            await chat.send("too late")

        slow.let.set()
        assert [reply.text for reply in await asyncio.gather(*sending)] == ["message 0", "message 1", "message 2"]
        await chat.handle.result()
        assert (await chat.status()).turns == 3


async def is_cancelled_during(chat: TestedChat, activity: str) -> None:
    """Cancel a turn while an activity runs, and see that the chat goes on."""
    sending = asyncio.create_task(chat.send("go", turn_id="t1"))
    await eventually(lambda: activity_runs(chat, activity))
    await chat.cancel("t1")
    with pytest.raises(TurnCancelledError):
        await sending
    status = await chat.status()
    assert (status.turns, status.running) == (1, None)
    assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0
    if activity.endswith("call-tool"):
        assert (await chat.send(NEXT)).text == "Fine."


async def is_begun(chat: Chat) -> bool:
    return bool(await chat.handle.describe())


async def is_accepted(chat: TestedChat, turns: int) -> bool:
    """Whether so many turns run or wait."""
    status = await chat.status()
    return len(status.waiting) + (status.running is not None) == turns


async def test_an_error_of_a_send_is_told_once(env: Environment) -> None:
    """To its caller: nothing is left for Python to complain about, in the middle of somebody's screen. (ours)"""
    complaints: list[Any] = []
    gc.collect()  # what other tests have left is not meant
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    try:
        async with env.agent(Script(says("Hello."))) as agent:
            chat = agent.chat()
            await chat.send("Hi")
            await chat.end()
            await chat.handle.result()
            with pytest.raises(ChatEndedError):
                await chat.send("Are you there?")
            waiting = asyncio.create_task(agent.chat().send("Nobody is at home."))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            agent.chats.pop()
        del waiting
        gc.collect()
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
    assert complaints == []
