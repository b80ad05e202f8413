"""Tools that ask the user first: a question holds nothing open, survives everything, and what is refused is not run."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from temporalio.client import WorkflowExecutionStatus

from durable_loop.chat.messages import Decision, OpenQuestions, Question, Turn, Verdict
from durable_loop.errors import ChatEndedError, TurnCancelledError
from durable_loop.testing import (
    Agent,
    Environment,
    McpTransport,
    Script,
    TestedChat,
    WorkerPlace,
    call,
    calls,
    over_http,
    says,
)
from tests.e2e.commands import piped
from tests.e2e.hostile import NEXT, Poisoner, called
from tests.e2e.mcp_http import NOWHERE
from tests.e2e.terminal import ROOT, Terminal, environment_of
from tests.e2e.waiting import activity_runs, eventually
from tests.requirements import requirement


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
        async def hold() -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
            """Never answer."""
            return await asyncio.get_running_loop().create_future()

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
        (("look", "calculator"), ["finance.delete", "finance.look", "finance.guess", "calculator"]),
        (("finance.add",), ["finance.delete", "finance.add", "finance.guess"]),
        ((), []),
    ],
    ids=["by default", "destructive", "writing", "by name", "by its whole name", "none"],
)
@requirement("mcp.destructive-by-default", "approval.settings")
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


@requirement("durability.asked-first")
async def test_a_question_holds_no_update_and_runs_nothing(env: Environment, vault: Vault) -> None:
    """Whoever sends or waits is told of it at once; what came behind it is answered after it, in order. (ours)"""
    script = Script(calls("delete", what="it"), says("Deleted."), says("Fine."))

    async with asking(env, vault, script) as chat:
        asked = await question(chat)
        behind = await chat.send_once(Turn(turn_id="t2", text="And how are you?"))

        assert (asked.turn_id, asked.about, asked.tool) == ("t1", "Delete it.", "finance.delete")
        assert (asked.arguments, asked.is_cut) == ('"what": "it"', False)
        assert behind == OpenQuestions(turn_id="t2", questions=(asked.question_id,))
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
        _, second = questions.questions
        await chat.decide(Decision(question_id=second, verdict=Verdict.ALWAYS))
        assert (await chat.reply_to("t1")).text == "1"
        run = (await chat.handle.describe()).run_id

        assert (await chat.send("And again.")).text == "2"

        assert (await chat.handle.describe()).run_id != run
        assert sorted(vault.done) == ["deleted one"] * 2 + ["deleted two"] * 2
        assert isinstance(await other.send_once(Turn(turn_id="t1", text="Delete them.")), OpenQuestions)
        await other.cancel("t1")


@requirement("approval.one-answer")
async def test_the_first_answer_counts(env: Environment, vault: Vault) -> None:
    """A second terminal comes too late, and an answer to no question does nothing. (ours)"""
    async with asking(env, vault) as chat:
        asked = (await question(chat)).question_id
        await chat.decide(Decision(question_id="t1/2", verdict=Verdict.APPROVE))
        await chat.decide(Decision(question_id=asked, verdict=Verdict.REJECT))
        await chat.decide(Decision(question_id=asked, verdict=Verdict.ALWAYS))

        assert (await chat.reply_to("t1")).text == "Well."
        assert vault.done == []


@requirement("durability.asked-first")
async def test_after_the_deadline_it_is_refused_and_the_model_is_told(env: Environment, vault: Vault) -> None:
    """Nobody needs to be there. (ours)"""
    delete = Poisoner(called("delete", '{"what": "it"}'))

    async with asking(env, vault, delete, approval_deadline=timedelta(seconds=1)) as chat:
        reply = await chat.reply_to("t1")

        assert reply.text == "I was told: delete was not run: nobody allowed it within 0:00:01."
        assert vault.done == []


@requirement("durability.question-survives")
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
        assert (await chat.history()).activities().count("invoke_model_activity") == 2


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


async def test_the_reply_of_a_chat_that_is_over_waits_for_a_worker(env: Environment, vault: Vault) -> None:
    """Nobody can say what was answered meanwhile, and nothing is lost. (ours)"""
    script = Script(calls("delete", what="it"), says("Well."))

    async with guarded(env, vault, script, workers=WorkerPlace.SUBPROCESS) as agent:
        chat = agent.chat()
        await chat.send_once(Turn(turn_id="t1", text="Delete it."))
        await chat.end()
        await eventually(lambda: has_ended(chat))
        assert agent.worker is not None
        await agent.worker.kill()
        waiting = asyncio.create_task(chat.reply_to("t1"))

        async with env.worker_process(agent.settings, script=script):
            assert (await waiting).text == "Well."


async def test_what_is_too_long_to_be_shown_runs_whole_where_it_is_allowed(env: Environment, vault: Vault) -> None:
    """All that a model may ask at once fits into one payload, and says where it was cut. (ours)"""
    texts = [f"{number}{'x' * 11_000}" for number in range(32)]
    every = [called("delete", f'{{"what": "{text}"}}', f"c{number}") for number, text in enumerate(texts)]

    async with guarded(env, vault, Poisoner(*every)) as agent:
        chat = agent.chat()
        await chat.send_once(Turn(turn_id="t1", text="Delete it."))
        asked = (await chat.status()).questions
        assert len(asked) == 32
        assert all(question.is_cut and "characters left out" in question.arguments for question in asked)

        await chat.decide(Decision(question_id=asked[0].question_id, verdict=Verdict.ALWAYS))
        await chat.reply_to("t1")
        assert sorted(vault.done) == sorted(f"deleted {text}" for text in texts)


@requirement("durability.unknown-effect")
async def test_an_allowed_call_that_is_cut_off_is_told_as_begun(env: Environment, vault: Vault) -> None:
    """Its effect is unknown, and the next turn's model must not think that nothing was done. (ours)"""
    async with asking(env, vault, Poisoner(called("hold", "{}"))) as chat:
        await answer(chat, Verdict.APPROVE)
        await eventually(lambda: activity_runs(chat, "call-tool"))
        await chat.cancel("t1")

        with pytest.raises(TurnCancelledError):
            await chat.reply_to("t1")
        assert "What already ran: hold({}) was started, its result is unknown." in (await chat.transcript())[-1].text


@requirement("temporal.operators")
async def test_whoever_waits_for_a_chat_that_was_terminated_is_told(env: Environment, vault: Vault) -> None:
    """A closed run still shows its open questions; nobody will answer them. (ours)"""
    delete = Poisoner(called("delete", '{"what": "it"}'))

    # A worker that keeps no chat has none left half-way when it ends.
    async with asking(env, vault, delete, max_cached_workflows=0) as chat:
        waiting = asyncio.create_task(chat.reply_to("t1"))
        await eventually(lambda: was_asked_for(chat, "t1"))
        await chat.handle.terminate()

        with pytest.raises(ChatEndedError):
            await waiting


async def test_many_who_wait_while_many_questions_are_answered_cost_little(env: Environment, vault: Vault) -> None:
    """Each asks for its reply again when nothing is asked any more, and not after every answer. (ours)"""
    every = [called("delete", f'{{"what": "{"€" * 4_000}"}}', f"c{number}") for number in range(10)]

    async with guarded(env, vault, Poisoner(*every)) as agent:
        chat = agent.chat()
        await chat.send_once(Turn(turn_id="t1", text="Delete it."))
        waiting = [asyncio.create_task(chat.send(NEXT)) for _ in range(6)]
        await eventually(lambda: waits(chat, 6))
        before = await size(chat)
        for question in (await chat.status()).questions:
            await chat.decide(Decision(question_id=question.question_id, verdict=Verdict.REJECT))
            await chat.status()

        assert {reply.text for reply in await asyncio.gather(*waiting)} == {"Fine."}
        assert await size(chat) - before < 200_000


async def test_the_same_turn_again_asks_nothing_that_was_answered(env: Environment, vault: Vault) -> None:
    """Its update was answered with the question; the reply is there all the same. (ours)"""
    async with asking(env, vault) as chat:
        await answer(chat, Verdict.APPROVE)
        reply = await chat.reply_to("t1")

        async def fail(_: Question) -> Decision:
            raise AssertionError("asked again")

        assert await chat.send("Delete it.", turn_id="t1", decide=fail) == reply
        assert vault.done == ["deleted it"]


async def test_a_question_that_is_closed_is_not_waited_for(env: Environment, vault: Vault) -> None:
    """Answered elsewhere: whoever was asking their user is told, and has the reply. (ours)"""
    async with asking(env, vault) as chat:
        shown, closed = asyncio.Event(), asyncio.Event()

        async def think(_: Question) -> Decision:
            shown.set()
            try:
                return await asyncio.get_running_loop().create_future()
            finally:
                closed.set()

        waiting = asyncio.create_task(chat.reply_to("t1", decide=think))
        await shown.wait()
        await answer(chat, Verdict.APPROVE)

        assert (await waiting).text == "Well."
        assert closed.is_set()


async def test_a_slip_in_the_setting_is_told(env: Environment, vault: Vault) -> None:
    """A name that no tool has asks for nothing. (ours)"""
    script = Script(says("Well."))

    async with env.agent(script, approval=("destuctive", "it.track_ip", "add")) as agent:
        reply = await agent.chat().send("go")

    assert reply.notes == (
        "No tool is named 'destuctive', which should be asked about first.",
        "No tool is named 'add', which should be asked about first.",
    )
    assert vault.done == []


async def the_chat(env: Environment, agent: Agent) -> str:
    """Return the id of the one chat of this agent."""
    client = await env.client()
    queue = agent.settings.orchestrator_queue
    found: list[str] = []

    async def listed() -> bool:
        found[:] = [chat.id async for chat in client.list_workflows(f"TaskQueue = '{queue}'")]
        return bool(found)

    await eventually(listed)
    return found[0]


async def was_asked_for(chat: TestedChat, turn_id: str) -> bool:
    """Whether somebody has asked for the reply to a turn by its id."""
    events = (await chat.handle.fetch_history()).events
    return any(
        turn_id in str(event.workflow_execution_update_accepted_event_attributes) and "await_turn" in str(event)
        for event in events
    )


async def waits(chat: TestedChat, number: int) -> bool:
    """Whether so many messages wait in the chat's queue."""
    return len((await chat.status()).waiting) == number


async def size(chat: TestedChat) -> int:
    """Return how many bytes the chat's history has."""
    described = await chat.handle.describe()
    return described.raw_description.workflow_execution_info.history_size_bytes


async def has_ended(chat: TestedChat) -> bool:
    """Whether the chat is closed."""
    return (await chat.handle.describe()).status is WorkflowExecutionStatus.COMPLETED


def env_chat(agent: Agent, chat: TestedChat) -> TestedChat:
    """Return another client of the chat."""
    return agent.chat(chat.chat_id)


@requirement("durability.question-survives")
async def test_the_terminal_asks_and_asks_again_after_it_was_closed(env: Environment, vault: Vault) -> None:
    """Tool and arguments are shown; y, a reason, and always are understood. (ours)"""
    deletes = [step for what in "abcd" for step in (calls("delete", what=what), says(f"Done with {what}."))]

    async with guarded(env, vault, Script(*deletes)) as agent:
        async with Terminal.talking_to(env, agent) as terminal:
            terminal.say("Delete a.")
            await terminal.shows('The agent wants to call finance.delete (for "Delete a."):')
            await terminal.shows('  "what": "a"')
            await terminal.shows("Allow it?")
            terminal.say("sure")
            await terminal.shows("(type y, a or n; what comes after n is told to the agent)")
            terminal.say("yes")
            await terminal.shows("Agent: Done with a.")
            terminal.say("Delete b.")
            await terminal.shows('  "what": "b"')
            terminal.type("\x04")
            await terminal.shows("The chat stays.")
            assert await terminal.ended() == 0

        assert vault.done == ["deleted a"]
        async with Terminal.talking_to(env, agent, "--resume") as terminal:
            await terminal.shows('The agent wants to call finance.delete (for "Delete b."):')
            await terminal.shows("Allow it?")
            terminal.say("quit")
            assert await terminal.ended() == 0
        async with Terminal.talking_to(env, agent, "--resume") as terminal:
            await terminal.shows("Allow it?")
            terminal.say("n not that one")
            await terminal.shows("Agent: Done with b.")
            terminal.say("Delete c.")
            await terminal.shows('  "what": "c"')
            terminal.say("always")
            await terminal.shows("Agent: Done with c.")
            terminal.say("Delete d.")
            await terminal.shows("Agent: Done with d.")
            terminal.say("quit")
            assert await terminal.ended() == 0

    assert vault.done == ["deleted a", "deleted c", "deleted d"]


@requirement("approval.one-answer")
async def test_what_was_typed_before_a_question_is_no_answer_to_it(env: Environment, vault: Vault) -> None:
    """It is the next message. (ours)"""
    script = Script(calls("delete", what="it"), says("Well."), says("Second."))

    async with guarded(env, vault, script) as agent, Terminal.talking_to(env, agent) as terminal:
        await terminal.shows("You:")
        terminal.type("Delete it.\ry\r")
        await terminal.shows("Allow it?")
        terminal.say("no")
        await terminal.shows("Agent: Second.")
        assert "You: y\nAgent: Second." in terminal.text

    assert vault.done == []


async def test_a_question_that_is_answered_elsewhere_leaves_the_terminal(env: Environment, vault: Vault) -> None:
    """All that one answer decides, and what another terminal has decided. (ours)"""
    three = calls(*(call("delete", what=what) for what in ("one", "two", "three")))
    script = Script(three, says("All done."), three, says("Done again."))

    async with guarded(env, vault, script) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("Delete them.")
        await terminal.shows("Allow it?")
        chat = agent.chat(await the_chat(env, agent))
        for question in (await chat.status()).questions:
            await chat.decide(Decision(question_id=question.question_id, verdict=Verdict.APPROVE))
        await terminal.shows("(no longer asked)")
        await terminal.shows("Agent: All done.")
        terminal.say("And again.")
        await terminal.shows("Allow it?", times=2)
        terminal.say("a")
        await terminal.shows("Agent: Done again.")
        assert terminal.text.count("Allow it?") == 2


async def test_a_pipe_leaves_the_questions_of_others_to_them(env: Environment, vault: Vault) -> None:
    """It waits for the reply, as whoever is asked may take their time. (ours)"""
    async with asking(env, vault) as chat:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "client.py", "--no-stack", "--resume", chat.chat_id),
            cwd=ROOT,
            env={**os.environ, "TEMPORAL_ADDRESS": env.address},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.close()
        await eventually(lambda: was_asked_for(chat, "t1"))
        await answer(chat, Verdict.APPROVE)
        output = await process.stdout.read() if process.stdout else b""

        assert await process.wait() == 0
        assert "Agent: Well." in output.decode()
        assert vault.done == ["deleted it"]


@requirement("approval.pipe")
async def test_a_single_message_does_not_wait_for_what_another_one_asked(
    env: Environment, vault: Vault, tmp_path: Path
) -> None:
    """Who asked it may be away until tomorrow: it is said how to go on, and the message is answered then. (ours)"""
    script = Script(calls("delete", what="it"), says("Well."), says("And hello."))
    async with asking(env, vault, script) as chat:
        ran = await piped(tmp_path, "ask", "hello", "--chat", chat.chat_id, "--approve", TEMPORAL_ADDRESS=env.address)
        assert (ran.code, ran.output) == (1, "")
        assert "The chat waits until somebody allows" in ran.errors
        assert f"durable-loop chat --resume {chat.chat_id}" in ran.errors
        assert vault.done == []

        await answer(chat, Verdict.APPROVE)
        await eventually(lambda: has_said(chat, "And hello."))


async def has_said(chat: TestedChat, text: str) -> bool:
    """Whether the agent has said it."""
    return text in [line.text for line in await chat.transcript()]


async def test_ctrl_c_at_a_question_stops_the_turn(env: Environment, vault: Vault) -> None:
    """Nothing is done, and the chat goes on. (ours)"""
    deleting = Poisoner(called("delete", '{"what": "it"}'))

    async with guarded(env, vault, deleting) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("Delete it.")
        await terminal.shows("Allow it?")
        terminal.type("\x03")
        await terminal.shows("No reply: The turn was cancelled.")
        terminal.say("Delete it all the same.")
        await terminal.shows("Allow it?", times=2)
        terminal.type("\x03")
        await terminal.shows("No reply: The turn was cancelled.", times=2)

    assert vault.done == []


async def test_a_dumb_terminal_asks_as_well(env: Environment, vault: Vault) -> None:
    """Each thing once: it cannot take back what it showed. (ours)"""
    async with guarded(env, vault, DELETE) as agent, Terminal.talking_to(env, agent, term="dumb") as terminal:
        terminal.say("Delete it.")
        await terminal.shows("Allow it?")
        terminal.say("y")
        await terminal.shows("Agent: Well.")
        terminal.say("quit")
        assert await terminal.ended() == 0
        assert terminal.text.count("n and why: y\n") == 1
        assert terminal.text.count("Allow it?") == 1

    assert vault.done == ["deleted it"]


async def test_a_terminal_that_looks_on_may_answer(env: Environment, vault: Vault) -> None:
    """It says that something is asked, and asks when told to. (ours)"""
    script = Script(says("Hello."), calls("delete", what="it"), says("Done."))

    async with guarded(env, vault, script) as agent, Terminal.talking_to(env, agent) as one:
        one.say("Hi")
        await one.shows("Agent: Hello.")
        resuming = ("--resume", await the_chat(env, agent))
        async with Terminal.talking_to(env, agent, *resuming, tells_cursor=True) as other:
            await other.shows("Agent: Hello.")
            one.say("Delete it.")
            await one.shows("Allow it?")
            await other.shows("The agent asks something: /approve")
            other.say("/approve")
            await other.shows('The agent wants to call finance.delete (for "Delete it."):')
            await other.shows("Allow it?")  # what is typed before that is no answer
            other.say("y")
            await one.shows("Agent: Done.")
            await other.shows("Agent: Done.")

    assert vault.done == ["deleted it"]


async def test_a_question_may_be_left_open(env: Environment, vault: Vault) -> None:
    """Ctrl-C at /approve goes back to the prompt, `/quit` at a question leaves; it stays open. (ours)"""
    script = Script(says("Hello."), calls("delete", what="it"), says("Done."))

    async with guarded(env, vault, script) as agent, Terminal.talking_to(env, agent) as one:
        one.say("Hi")
        await one.shows("Agent: Hello.")
        chat_id = await the_chat(env, agent)
        async with Terminal.talking_to(env, agent, "--resume", chat_id, tells_cursor=True) as other:
            await other.shows("Agent: Hello.")
            one.say("Delete it.")
            await one.shows("Allow it?")
            await other.shows("The agent asks something: /approve")
            other.say("/approve")
            await other.shows("Allow it?")
            other.type("\x03")
            other.say("/model")
            await other.shows("(the model is offline)")
            other.say("/quit")
            assert await other.ended() == 0
        one.say("/quit")
        assert await one.ended() == 0
        async with Terminal.talking_to(env, agent, "--resume", chat_id) as again:
            await again.shows("Allow it?")
            again.say("y")
            await again.shows("Agent: Done.")

    assert vault.done == ["deleted it"]


async def deleting_in_a_pipe(env: Environment, agent: Agent, *words: str) -> str:
    """Pipe a message into the chat and return what it writes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "client.py", "--no-stack", *words),
        cwd=ROOT,
        env=environment_of(env, agent),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(b"Delete it.\n")
    return output.decode()


@requirement("approval.pipe")
async def test_a_pipe_allows_what_is_asked_when_it_is_told_to(env: Environment, vault: Vault) -> None:
    """With --approve, and the output says so. (ours)"""
    async with guarded(env, vault, DELETE) as agent:
        output = await deleting_in_a_pipe(env, agent, "--approve")

    assert "  (allowed by --approve: finance.delete)" in output
    assert vault.done == ["deleted it"]


@requirement("approval.pipe")
async def test_a_pipe_refuses_what_would_be_asked(env: Environment, vault: Vault) -> None:
    """There is nobody to ask, and the output says so. (ours)"""
    async with guarded(env, vault, Poisoner(called("delete", '{"what": "it"}'))) as agent:
        output = await deleting_in_a_pipe(env, agent)

    assert "  (not allowed, there is no terminal to ask at: finance.delete)" in output
    assert "delete was not run: the user did not allow it: there is no terminal to ask the user at." in output
    assert vault.done == []
