"""A chat on a real server: one reply a turn, in order, whatever model, tools and users do."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from agents.testing import assistant_message, function_call
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from durable_loop import names
from durable_loop.chat.listing import all_chats
from durable_loop.chat.messages import Turn
from durable_loop.errors import (
    ChatBusyError,
    ChatEndedError,
    ChatNotFoundError,
    MessageRefusedError,
    TurnCancelledError,
    TurnFailedError,
)
from durable_loop.testing import (
    Calls,
    Environment,
    McpTransport,
    Script,
    TestedChat,
    WorkerPlace,
    call,
    calls,
    fails,
    says,
)
from tests.e2e.answering import AnsweringModel
from tests.e2e.mcp_http import NOWHERE
from tests.e2e.waiting import eventually
from tests.requirements import requirement

FINANCE_CALL = "temporalio.mcp.finance.call-tool"


async def said(chat: TestedChat) -> Sequence[tuple[str, str]]:
    """Return who said what."""
    return [(line.role, line.text) for line in await chat.transcript()]


@pytest.mark.parametrize("mcp", [McpTransport.MEMORY, McpTransport.HTTP, McpTransport.STDIO])
@requirement("tools.transports")
async def test_a_turn_runs_local_and_mcp_tools_over_every_transport(env: Environment, mcp: McpTransport) -> None:
    """The tools' results reach the model and the transcript, however the MCP servers are reached. (seed)"""
    script = Script(
        calls("stock_price", ticker="AAPL"),
        says("AAPL is at 185.50."),
        calls(call("calculator", expression="15 * 23"), call("set_jira_project", project="DEMO-123")),
        says("345, and the project is set."),
    )

    async with env.agent(script, mcp=mcp) as agent:
        chat = agent.chat()
        first = await chat.send("What is AAPL at?")
        second = await chat.send("Calculate 15 * 23 and set the project")

        assert (first.text, first.notes) == ("AAPL is at 185.50.", ())
        assert second.text == "345, and the project is set."
        assert await said(chat) == [
            ("user", "What is AAPL at?"),
            ("tool", 'stock_price({"ticker":"AAPL"})'),
            ("agent", "AAPL is at 185.50."),
            ("user", "Calculate 15 * 23 and set the project"),
            ("tool", 'calculator({"expression":"15 * 23"})'),
            ("tool", 'set_jira_project({"project":"DEMO-123"})'),
            ("agent", "345, and the project is set."),
        ]
        assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


async def test_the_real_worker_process_speaks_the_script(env: Environment) -> None:
    """The extension point puts the fake model into `workers.orchestrator_worker`. (ours)"""
    script = Script(calls("calculator", expression="1 + 1"), says("Two."))

    async with env.agent(script, workers=WorkerPlace.SUBPROCESS, mcp=McpTransport.HTTP) as agent:
        assert (await agent.chat().send("1 + 1?")).text == "Two."


@requirement("tools.backed-by-workflows")
async def test_each_mcp_call_has_one_workflow_under_a_key_of_its_own(env: Environment) -> None:
    """Two calls in one turn are two effects; the key says chat, turn and number. (ours)"""
    script = Script(calls(call("stock_price", ticker="AAPL"), call("stock_price", ticker="AAPL")), says("Twice."))

    async with env.agent(script) as agent:
        chat = agent.chat()
        await chat.send("AAPL, twice", turn_id="turn-1")

        assert (await chat.history()).activities().count(FINANCE_CALL) == 2
        finance = await env.client(names.NAMESPACE_FINANCE)
        for number in (1, 2):
            key = f"{chat.chat_id}/turn-1/{number}"
            found = [
                execution.id
                async for execution in finance.list_workflows(f"WorkflowType = '{names.WORKFLOW_STOCK_PRICE}'")
                if key in execution.id
            ]
            assert len(found) == 1


@requirement("durability.order")
async def test_concurrent_messages_are_answered_in_order_each_caller_its_own(env: Environment) -> None:
    """Five callers at once: five turns, one after the other, no reply swapped. (ours; the public code swaps them)"""
    texts = [f"message {number}" for number in range(5)]
    script = Script(*([calls("calculator", expression="1+1"), says("done")] * len(texts)))

    async with env.agent(script) as agent:
        chat = agent.chat()
        replies = await asyncio.gather(*(chat.send(text, turn_id=text.replace(" ", "-")) for text in texts))

        assert [reply.turn_id for reply in replies] == [text.replace(" ", "-") for text in texts]
        users = [text for role, text in await said(chat) if role == "user"]
        assert sorted(users) == sorted(texts)
        assert [role for role, _ in await said(chat)] == ["user", "tool", "agent"] * 5


@requirement("temporal.update-ids")
async def test_the_same_turn_again_returns_the_same_reply_and_runs_nothing(env: Environment) -> None:
    """A client that is not sure sends the turn again, also to the next run of the chat. (ours)"""
    script = Script(says("once"), says("another"))

    async with env.agent(script) as agent:
        chat = agent.chat(max_run_events=1)
        first = await chat.send("hello", turn_id="t1")
        runs_before = (await chat.handle.describe()).run_id
        again = await chat.send("hello", turn_id="t1")
        await chat.send("next", turn_id="t2")

        assert again == first
        assert (await chat.handle.describe()).run_id != runs_before or (await chat.status()).turns == 2
        assert (await chat.status()).turns == 2


@requirement("durability.waits")
async def test_an_accepted_turn_can_be_waited_for_by_its_id(env: Environment) -> None:
    """A client that comes back asks for the reply without saying the message again. (ours)"""
    script = Script(fails("busy", attempts=2), says("Here."), says("Next."))

    async with env.agent(script) as agent:
        chat = agent.chat(max_run_events=1)
        sending = asyncio.create_task(chat.send("hello", turn_id="t1"))
        await eventually(lambda: _running(chat))
        waited = await chat.reply_to("t1")
        assert waited == await sending

        await chat.send("and now?", turn_id="t2")
        assert await chat.reply_to("t1") == waited
        with pytest.raises(MessageRefusedError, match="knows no turn t9"):
            await chat.reply_to("t9")


@requirement("durability.memory")
async def test_memory_and_outcomes_survive_continue_as_new(env: Environment) -> None:
    """With one turn a run, the transcript goes through every run. (ours)"""
    script = Script(says("Hello Ada."), calls("calculator", expression="2*3"), says("Six."), says("You are Ada."))

    async with env.agent(script) as agent:
        chat = agent.chat(max_run_events=1)
        for text in ("My name is Ada", "2*3?", "Who am I?"):
            await chat.send(text)

        first_run = (await chat.handle.describe()).raw_description.workflow_execution_info.first_run_id
        assert first_run != (await chat.handle.describe()).run_id
        assert [text for role, text in await said(chat) if role != "tool"] == [
            "My name is Ada",
            "Hello Ada.",
            "2*3?",
            "Six.",
            "Who am I?",
            "You are Ada.",
        ]


class Counted(AnsweringModel):
    """Calls a tool once in each turn, and takes seven tokens a call."""

    tokens = 7

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:
        """Call, then say that it is done."""
        del instructions
        if items[-1].get("role") == "user":
            return [function_call("calculator", {"expression": "1"}, call_id="c")]
        return [assistant_message("Done.")]


async def test_what_the_model_calls_take_is_counted_over_all_runs(env: Environment) -> None:
    """Two calls a turn, and each turn in a run of its own. (ours)"""
    async with env.agent(Counted()) as agent:
        chat = agent.chat(max_run_events=1)
        for number in (1, 2, 3):
            await chat.send("go")
            assert (await chat.status()).tokens == 14 * number


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 32_001], ids=["empty", "blank", "too long"])
async def test_a_message_that_cannot_be_used_is_refused_and_leaves_nothing(env: Environment, text: str) -> None:
    """The update validator says no: no turn, no event. (ours)"""
    async with env.agent(Script(says("hello"))) as agent:
        chat = agent.chat()
        with pytest.raises(MessageRefusedError, match=r"blank|32,001 characters"):
            await chat.send(text)

        await chat.send("hello")
        assert (await chat.status()).turns == 1


@requirement("durability.full-queue")
async def test_a_full_queue_is_a_typed_error_at_once_and_loses_nothing(env: Environment) -> None:
    """Six wait behind the running turn; the eighth is told to come again, and `send` does. (ours)"""
    script = Script(fails("busy", attempts=3), *(says(f"reply {number}") for number in range(8)))

    async with env.agent(script) as agent:
        chat = agent.chat()
        first = asyncio.create_task(chat.send("message 0"))
        await eventually(lambda: _running(chat))
        waiting = [asyncio.create_task(chat.send(f"message {number}")) for number in range(1, 7)]
        await eventually(lambda: _waiting(chat, 6))

        with pytest.raises(ChatBusyError, match="6 messages are waiting"):
            await chat.send_once(Turn(turn_id="eighth", text="message 7"))
        replies = await asyncio.gather(first, *waiting, chat.send("message 7", turn_id="eighth"))

        assert len({reply.text for reply in replies}) == 8


@requirement("durability.failed-turn")
async def test_a_failed_turn_says_why_and_the_next_one_knows_what_ran(env: Environment) -> None:
    """The chat goes on; its transcript keeps the message and one line of what already ran. (ours)"""
    script = Script(calls("calculator", expression="6*7"), fails("no such model", retryable=False), says("Here."))

    async with env.agent(script) as agent:
        chat = agent.chat()
        with pytest.raises(TurnFailedError, match="no such model"):
            await chat.send("6*7?")
        assert (await chat.send("Are you there?")).text == "Here."

        role, note = (await said(chat))[1]
        assert role == "note"
        assert "no such model" in note
        assert "6*7 = 42" in note
        assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


@pytest.mark.parametrize(
    "hostile",
    [
        calls("no_such_tool", x=1),
        calls("calculator", wrong="argument"),
        calls("calculator", expression=17),
        calls("calculator", expression="1/0"),
        calls("stock_price", ticker="NOSUCH"),
        calls("calculate_roi", principal=-1, rate="x"),
        calls("get_jira_metrics"),
    ],
    ids=["unknown tool", "unknown argument", "wrong type", "failing tool", "refused", "MCP arguments", "state missing"],
)
@requirement("agents.unknown-tool")
async def test_what_a_model_gets_wrong_is_told_to_the_model_and_the_turn_goes_on(
    env: Environment, hostile: Calls
) -> None:
    """No retry loop, no failed turn: the model reads a sentence and answers. (ours)"""
    async with env.agent(Script(hostile, says("I see."))) as agent:
        chat = agent.chat()

        assert (await chat.send("go")).text == "I see."
        assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_TASK_FAILED") == 0


@requirement("agents.max-turns")
async def test_a_model_that_never_comes_to_an_answer_is_stopped(env: Environment) -> None:
    """The limit of model calls ends the turn with a readable error; the chat goes on. (ours)"""
    script = Script(*(calls("calculator", expression="1+1") for _ in range(3)))

    async with env.agent(script) as agent:
        chat = agent.chat(max_model_calls=3)
        with pytest.raises(TurnFailedError, match="3 times without coming to an answer"):
            await chat.send("loop")
        assert (await chat.status()).running is None


async def test_a_cancelled_turn_ends_and_the_chat_goes_on(env: Environment) -> None:
    """Cancel stops the running turn and takes a waiting one out of the queue. (ours)"""
    script = Script(fails("down"), says("Still here."))

    async with env.agent(script, model_attempts=1000) as agent:
        chat = agent.chat()
        running = asyncio.create_task(chat.send("one", turn_id="t1"))
        await eventually(lambda: _retrying(chat))
        waiting = asyncio.create_task(chat.send("two", turn_id="t2"))
        await eventually(lambda: _waiting(chat, 1))
        await chat.cancel("t2")
        await chat.cancel("t1")

        for turn in (waiting, running):
            with pytest.raises(TurnCancelledError, match="cancelled"):
                await turn
        assert (await chat.send("three")).text == "Still here."
        assert [role for role, _ in await said(chat)] == ["user", "note", "user", "agent"]


@requirement("durability.retries")
async def test_a_retry_is_visible_to_the_client(env: Environment) -> None:
    """What is tried again, the attempt, and why the last one failed; the history gets no event by it. (ours)"""
    script = Script(fails("The provider wants fewer requests"), says("Here."))

    async with env.agent(script, model_attempts=1000) as agent:
        chat = agent.chat()
        sending = asyncio.create_task(chat.send("hello", turn_id="t1"))
        await eventually(lambda: _retrying(chat))
        before = len((await chat.history()).event_types)
        (doing,) = await chat.under_way()

        assert (doing.what, doing.max_attempts) == ("model call", 1000)
        assert doing.attempt > 1
        assert doing.last_error == "The provider wants fewer requests."
        assert len((await chat.history()).event_types) == before
        await chat.cancel("t1")
        with pytest.raises(TurnCancelledError):
            await sending
        assert await chat.under_way() == []
        assert (await chat.send("again")).text == "Here."


@requirement("temporal.operators")
async def test_a_chat_whose_workflow_is_cancelled_ends_in_mid_turn(env: Environment) -> None:
    """What an operator does in Temporal's own tools; whoever waits is told. (ours)"""
    script = Script(fails("down"))
    async with env.agent(script, model_attempts=1000) as agent:
        chat = agent.chat()
        running = asyncio.create_task(chat.send("one"))
        await eventually(lambda: _retrying(chat))
        waiting = asyncio.create_task(chat.send("two"))
        await eventually(lambda: _waiting(chat, 1))
        await chat.handle.cancel()

        for turn in (running, waiting):
            with pytest.raises(TurnCancelledError):
                await turn
        with pytest.raises(WorkflowFailureError) as ended:
            await chat.handle.result()
        assert isinstance(ended.value.cause, CancelledError)


@requirement("durability.waits")
async def test_a_caller_that_gives_up_waiting_is_let_go_and_its_turn_goes_on(env: Environment) -> None:
    """Cancelling the wait is not cancelling the turn. (ours)"""
    async with env.agent(Script(fails("busy", attempts=2), says("Here."))) as agent:
        chat = agent.chat()
        sending = asyncio.create_task(chat.send("hello", turn_id="t1"))
        await eventually(lambda: _running(chat))
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

        assert (await chat.reply_to("t1")).text == "Here."


@requirement("durability.end")
async def test_an_ended_chat_takes_no_more_messages_and_is_never_begun_again(env: Environment) -> None:
    """A fresh run under the old id would have forgotten everything. (ours)"""
    async with env.agent(Script(says("hello"))) as agent:
        chat = agent.chat()
        await chat.send("hello")
        await chat.end()
        await chat.handle.result()

        with pytest.raises(ChatEndedError):
            await chat.send("hello again")
        with pytest.raises(ChatEndedError):
            await TestedChat.resume(await env.client(), chat.chat_id, chat.start)
        with pytest.raises(ChatNotFoundError):
            await TestedChat.resume(await env.client(), "chat-nobody-knows", chat.start)


async def test_a_chat_is_listed_under_its_first_message(env: Environment) -> None:
    """The title is in the memo, written once. (ours)"""
    async with env.agent(Script(says("one"), says("two"))) as agent:
        chat = agent.chat()
        await chat.send("What   is\nthis?")
        await chat.send("And that?")

        client = await env.client()
        await eventually(lambda: _listed(client, chat.chat_id, "What is this?"))
        assert (await chat.history()).count("EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED") == 1


@requirement("durability.missing-server")
async def test_a_chat_without_its_mcp_servers_answers_and_says_what_is_missing(env: Environment) -> None:
    """A server that is down is left out of the turn; the others and the user's answer stay. (ours)"""
    script = Script(calls("calculator", expression="1+1"), says("Two."))

    async with env.agent(script, mcp=McpTransport.SETTINGS, finance_mcp_url=NOWHERE, it_mcp_url=NOWHERE) as agent:
        reply = await agent.chat().send("1+1?")

    assert reply.text == "Two."
    assert [note.partition(":")[0] for note in reply.notes] == [
        "The finance tools are not available",
        "The it tools are not available",
    ]


async def _running(chat: TestedChat) -> bool:
    return (await chat.status()).running is not None


async def _retrying(chat: TestedChat) -> bool:
    """Whether the model was called, failed, and is called again."""
    return any(doing.attempt > 1 for doing in await chat.under_way())


async def _waiting(chat: TestedChat, count: int) -> bool:
    return len((await chat.status()).waiting) == count


async def _listed(client: Client, chat_id: str, title: str) -> bool:
    return (chat_id, title) in [(chat.chat_id, chat.title) for chat in await all_chats(client)]
