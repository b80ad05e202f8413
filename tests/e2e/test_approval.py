"""Tools that ask the user first: a question holds nothing open, survives everything, and what is refused is not run."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from temporalio.client import WorkflowExecutionStatus

from durable_loop.chat.messages import Decision, OpenQuestions, Question, Turn, Verdict
from durable_loop.errors import TurnCancelledError
from durable_loop.testing import Agent, Environment, McpTransport, Script, TestedChat, WorkerPlace, call, calls, says
from durable_loop.testing.processes import variables
from tests.e2e.hostile import NEXT, Poisoner, called
from tests.e2e.mcp_http import NOWHERE, over_http
from tests.e2e.terminal import ROOT, Terminal
from tests.e2e.waiting import eventually


@dataclass
class Vault:
    """A foreign MCP server with a tool of each kind; notes what was done."""

    url: str = ""
    done: list[str] = field(default_factory=list[str])

    def server(self) -> MCPServer:
        """Return it."""
        server = MCPServer("vault")

        @server.tool(annotations=ToolAnnotations(destructive_hint=True))
        def delete(what: str) -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
            """Delete something for good."""
            return self._do(f"deleted {what}")

        @server.tool(annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False))
        def add(what: str) -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
            """Add something."""
            return self._do(f"added {what}")

        @server.tool(annotations=ToolAnnotations(read_only_hint=True))
        def look(what: str) -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
            """Look at something."""
            return self._do(f"looked at {what}")

        @server.tool()
        def guess(what: str) -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
            """Do nobody says what."""
            return self._do(f"guessed {what}")

        return server

    def _do(self, what: str) -> str:
        self.done.append(what)
        return f"I {what}"


@pytest.fixture(name="vault")
async def _vault(env: Environment) -> AsyncGenerator[Vault]:
    del env  # the server ends before it
    vault = Vault()
    async with over_http(vault.server()) as vault.url:
        yield vault


def guarded(env: Environment, vault: Vault, script: Any, **settings: Any) -> AbstractAsyncContextManager[Agent]:
    """Run an agent whose one MCP server is the vault."""
    return env.agent(
        script, mcp=McpTransport.SETTINGS, finance_mcp_url=vault.url, it_mcp_url=NOWHERE, tool_attempts=1, **settings
    )


DELETE = Script(calls("delete", what="it"), says("Well."))


@asynccontextmanager
async def asking(env: Environment, vault: Vault, script: Any = DELETE, **settings: Any) -> AsyncGenerator[TestedChat]:
    """Give a chat that waits for its user: turn t1 wants to delete it."""
    async with guarded(env, vault, script, **settings) as agent:
        chat = agent.chat()
        asked = await chat.send_once(Turn(turn_id="t1", text="Delete it."))
        assert isinstance(asked, OpenQuestions)
        yield chat


async def question(chat: TestedChat) -> Question:
    """Return the one question that is open."""
    (only,) = (await chat.status()).questions
    return only


async def answer(chat: TestedChat, verdict: Verdict, reason: str = "") -> None:
    """Answer the one question that is open."""
    await chat.decide(Decision(question_id=(await question(chat)).question_id, verdict=verdict, reason=reason))


@pytest.mark.parametrize(
    ("approval", "ask"),
    [
        (None, ["finance.delete", "finance.guess"]),
        (("destructive",), ["finance.delete", "finance.guess"]),
        (("writing",), ["finance.delete", "finance.add", "finance.guess"]),
        (("look", "calculator"), ["finance.look", "calculator"]),
        (("finance.add", "destructive"), ["finance.delete", "finance.add", "finance.guess"]),
        ((), []),
    ],
    ids=["by default", "destructive", "writing", "by name", "both", "none"],
)
async def test_which_tools_ask_is_a_setting(
    env: Environment, vault: Vault, approval: tuple[str, ...] | None, ask: list[str]
) -> None:
    """By default those that may destroy something, and those that say nothing about it. (ours; MCP: hints)"""
    every = [call(tool, what="it") for tool in ("delete", "add", "look", "guess")]
    script = Script(calls(*every, call("calculator", expression="6*7")), says("Well."))
    asked: list[Question] = []

    async def note(question: Question) -> Decision:
        asked.append(question)
        return Decision(question_id=question.question_id, verdict=Verdict.APPROVE)

    async with guarded(env, vault, script, **({} if approval is None else {"approval": approval})) as agent:
        await agent.chat().send("go", decide=note)

    assert [question.tool for question in asked] == ask
    assert sorted(vault.done) == ["added it", "deleted it", "guessed it", "looked at it"]


async def test_a_question_holds_no_update_and_runs_nothing(env: Environment, vault: Vault) -> None:
    """Whoever sends or waits is told of it at once; what came behind it is answered after it, in order. (ours)"""
    script = Script(calls("delete", what="it"), says("Deleted."), says("Fine."))

    async with asking(env, vault, script) as chat:
        asked = await question(chat)
        behind = await chat.send_once(Turn(turn_id="t2", text="And how are you?"))

        assert (asked.turn_id, asked.tool, asked.arguments) == ("t1", "finance.delete", '{"what":"it"}')
        assert behind == OpenQuestions(turn_id="t2", questions=(asked,))
        assert (await chat.status()).waiting == ("t2",)
        assert vault.done == []

        waiting = asyncio.gather(chat.reply_to("t1"), chat.reply_to("t2"))
        await answer(chat, Verdict.APPROVE)

        assert [reply.text for reply in await waiting] == ["Deleted.", "Fine."]
        assert vault.done == ["deleted it"]
        assert (await chat.status()).questions == ()


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", "delete was not run: the user did not allow it."),
        ("keep it", "delete was not run: the user did not allow it: keep it."),
    ],
    ids=["without a reason", "with a reason"],
)
async def test_what_is_refused_is_not_run_and_the_model_is_told(
    env: Environment, vault: Vault, reason: str, told: str
) -> None:
    """It can say so, and the next turn works. (ours)"""
    async with asking(env, vault, Poisoner(called("delete", '{"what": "it"}'))) as chat:
        await answer(chat, Verdict.REJECT, reason)

        assert (await chat.reply_to("t1")).text == f"I was told: {told}"
        assert (await chat.send(NEXT)).text == "Fine."
        assert vault.done == []


async def test_always_holds_for_the_tool_and_this_chat_also_in_its_next_run(env: Environment, vault: Vault) -> None:
    """Another chat is asked as before. (ours)"""
    both = calls(call("delete", what="one"), call("delete", what="two"))
    script = Script(both, says("1"), both, says("2"))

    async with guarded(env, vault, script) as agent:
        chat, other = agent.chat(max_run_events=1), agent.chat()
        questions = await chat.send_once(Turn(turn_id="t1", text="Delete them."))
        assert isinstance(questions, OpenQuestions)
        first, second = questions.questions
        await chat.decide(Decision(question_id=second.question_id, verdict=Verdict.ALWAYS))
        assert (await chat.reply_to("t1")).text == "1"
        run = (await chat.handle.describe()).run_id

        assert (await chat.send("And again.")).text == "2"

        assert (first.tool, (await chat.handle.describe()).run_id != run) == ("finance.delete", True)
        assert sorted(vault.done) == ["deleted one"] * 2 + ["deleted two"] * 2
        assert isinstance(await other.send_once(Turn(turn_id="t1", text="Delete them.")), OpenQuestions)
        await other.cancel("t1")


async def test_the_first_answer_counts(env: Environment, vault: Vault) -> None:
    """A second terminal comes too late, and an answer to no question does nothing. (ours)"""
    async with asking(env, vault) as chat:
        asked = (await question(chat)).question_id
        await chat.decide(Decision(question_id="t1/2", verdict=Verdict.APPROVE))
        await chat.decide(Decision(question_id=asked, verdict=Verdict.REJECT))
        await chat.decide(Decision(question_id=asked, verdict=Verdict.ALWAYS))

        assert (await chat.reply_to("t1")).text == "Well."
        assert vault.done == []


async def test_after_the_deadline_it_is_refused_and_the_model_is_told(env: Environment, vault: Vault) -> None:
    """Nobody needs to be there. (ours)"""
    delete = Poisoner(called("delete", '{"what": "it"}'))

    async with asking(env, vault, delete, approval_deadline=timedelta(seconds=1)) as chat:
        reply = await chat.reply_to("t1")

        assert reply.text == "I was told: delete was not run: nobody allowed it within 0:00:01."
        assert vault.done == []


async def test_a_question_survives_every_worker_and_any_client_may_answer(env: Environment, vault: Vault) -> None:
    """Asked again as it was, run once, and whoever waits is told; each task is replayed from the start. (ours)"""
    script = Script(calls("delete", what="it"), says("Deleted."))
    uncached: dict[str, Any] = {"workers": WorkerPlace.SUBPROCESS, "max_cached_workflows": 0}

    async with guarded(env, vault, script, **uncached) as agent:
        chat = agent.chat()
        await chat.send_once(Turn(turn_id="t1", text="Delete it."))
        sending = asyncio.create_task(chat.send("Delete it.", turn_id="t1"))
        before = await question(chat)
        assert agent.worker is not None
        await agent.worker.kill()

        async with env.worker_process(agent.settings, script=script):
            again = env_chat(agent, chat)
            assert await question(again) == before
            await answer(again, Verdict.APPROVE)

            assert (await again.reply_to("t1")).text == "Deleted."
            assert (await sending).text == "Deleted."
        assert vault.done == ["deleted it"]
        # Each of the two model calls was an activity: going on after the question opened no client of its own.
        assert (await activities(chat)).count("invoke_model_activity") == 2


async def test_a_cancelled_question_is_gone_and_the_next_turn_knows(env: Environment, vault: Vault) -> None:
    """What was asked for was not run, and the note says so. (ours)"""
    async with asking(env, vault, Poisoner(called("delete", '{"what": "it"}'))) as chat:
        await chat.cancel("t1")

        with pytest.raises(TurnCancelledError):
            await chat.reply_to("t1")
        note = (await chat.transcript())[-1].text
        assert 'What already ran: delete({"what": "it"}) was not run, the user had not allowed it.' in note
        assert (await chat.status()).questions == ()
        assert (await chat.send(NEXT)).text == "Fine."
        assert vault.done == []


async def test_an_ended_chat_asks_nobody(env: Environment, vault: Vault) -> None:
    """It refuses, answers what it accepted, and whoever waits gets the reply from the chat that is closed. (ours)"""
    delete = Poisoner(called("delete", '{"what": "it"}'))

    async with asking(env, vault, delete) as chat:
        await chat.send_once(Turn(turn_id="t2", text="And this."))
        await chat.end()
        await eventually(lambda: has_ended(chat))
        await chat.decide(Decision(question_id="t1/1", verdict=Verdict.APPROVE))  # too late

        for turn_id in ("t1", "t2"):
            text = (await chat.reply_to(turn_id)).text
            assert text == "I was told: delete was not run: the user did not allow it: the chat was ended."
        assert vault.done == []


async def test_long_arguments_are_cut_where_the_user_can_see_it(env: Environment, vault: Vault) -> None:
    """All that a model may ask at once fits into one payload; what runs is the whole. (ours)"""
    every = [called("delete", f'{{"what": "{number}{"x" * 11_000}"}}', f"c{number}") for number in range(32)]

    async with guarded(env, vault, Poisoner(*every)) as agent:
        chat = agent.chat()
        asked = await chat.send_once(Turn(turn_id="t1", text="Delete it."))
        assert isinstance(asked, OpenQuestions)
        assert len(asked.questions) == 32
        assert all("characters left out]" in question.arguments for question in asked.questions)
        await chat.cancel("t1")


async def activities(chat: TestedChat) -> list[str]:
    """Return the types of the activities that the chat scheduled."""
    events = (await chat.handle.fetch_history()).events
    return [event.activity_task_scheduled_event_attributes.activity_type.name for event in events]


async def has_ended(chat: TestedChat) -> bool:
    """Whether the chat is closed."""
    return (await chat.handle.describe()).status is WorkflowExecutionStatus.COMPLETED


def env_chat(agent: Agent, chat: TestedChat) -> TestedChat:
    """Return another client of the chat."""
    return agent.chat(chat.chat_id)


def terminal_of(env: Environment, agent: Agent) -> dict[str, str]:
    """Return the environment of a terminal program that talks to this agent."""
    return {**os.environ, **variables(agent.settings), "TEMPORAL_ADDRESS": env.address}


async def test_the_terminal_asks_and_asks_again_after_it_was_closed(env: Environment, vault: Vault) -> None:
    """Tool and arguments are shown; y, a reason, and always are understood. (ours)"""
    deletes = [step for what in "abcd" for step in (calls("delete", what=what), says(f"Done with {what}."))]

    async with guarded(env, vault, Script(*deletes)) as agent:
        environment = terminal_of(env, agent)
        async with Terminal.running("client.py", "--no-stack", environment=environment) as terminal:
            terminal.say("Delete a.")
            await terminal.shows('The agent wants to call finance.delete with {"what":"a"}')
            await terminal.shows("Allow it?")
            terminal.say("")
            await terminal.shows("Allow it?", times=2)
            terminal.say("yes")
            await terminal.shows("Agent: Done with a.")
            terminal.say("Delete b.")
            await terminal.shows('{"what":"b"}')
            terminal.type("\x03")
            await terminal.shows("The chat stays.")
            assert await terminal.ended() == 130

        assert vault.done == ["deleted a"]
        async with Terminal.running("client.py", "--no-stack", "--resume", environment=environment) as terminal:
            await terminal.shows('The agent wants to call finance.delete with {"what":"b"}')
            await terminal.shows("Allow it?")
            terminal.say("not that one")
            await terminal.shows("Agent: Done with b.")
            terminal.say("Delete c.")
            await terminal.shows('{"what":"c"}')
            terminal.say("always")
            await terminal.shows("Agent: Done with c.")
            terminal.say("Delete d.")
            await terminal.shows("Agent: Done with d.")
            terminal.say("quit")
            assert await terminal.ended() == 0

    assert vault.done == ["deleted a", "deleted c", "deleted d"]


async def test_a_pipe_refuses_what_would_be_asked(env: Environment, vault: Vault) -> None:
    """There is nobody to ask, and the output says so. (ours)"""
    async with guarded(env, vault, Poisoner(called("delete", '{"what": "it"}'))) as agent:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "client.py", "--no-stack"),
            cwd=ROOT,
            env=terminal_of(env, agent),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(b"Delete it.\n")

    assert "  (not allowed, there is no terminal to ask at: finance.delete)" in output.decode()
    assert "delete was not run: the user did not allow it: there is no terminal to ask the user at." in output.decode()
    assert vault.done == []
