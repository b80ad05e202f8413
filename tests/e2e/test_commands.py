"""The commands about chats as scripts use them: processes with pipes, against real chats."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from agents.items import TResponseStreamEvent
from agents.testing import assistant_message
from temporalio.client import Client

from durable_loop import names
from durable_loop.chat.client import Chat
from durable_loop.chat.listing import all_chats
from durable_loop.chat.messages import ChatInput
from durable_loop.cli.ask import run_ask
from durable_loop.models.offline.streaming import events_of
from durable_loop.testing import Environment, McpTransport, Script, calls, fails, says
from durable_loop.testing.histories.history import fetch_history
from tests.e2e.answering import AnsweringModel
from tests.e2e.commands import PROGRAM, piped
from tests.e2e.mcp_http import NOWHERE
from tests.e2e.terminal import Terminal, environment_of
from tests.e2e.waiting import eventually
from tests.requirements import requirement

AWAY = {"TEMPORAL_ADDRESS": "127.0.0.1:9"}
# A model that speaks Markdown, and to terminals.
MARKDOWN = "# Two\n\n**Really** \x1b[2Jtwo."


class Echo(AnsweringModel):
    """Says what it is told."""

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:  # noqa: ARG002 - the same for all
        """Answer."""
        return [assistant_message(f"You said: {items[-1]['content']}")]

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Answer, in pieces."""
        for event in events_of(await self.get_response(*args, **kwargs), model="echo"):
            yield event


async def test_a_reply_stands_alone_on_standard_output(env: Environment, tmp_path: Path) -> None:
    """As the model wrote it, without what a terminal would obey; nothing is said beside it in a pipe. (ours)"""
    async with env.agent(Script(says(MARKDOWN))) as agent:
        asked = await piped(tmp_path, "ask", "--no-stack", "1 + 1?", **environment_of(env, agent))

    assert asked == (0, "# Two\n\n**Really** [2Jtwo.\n", "")


async def test_the_message_comes_from_the_argument_and_from_standard_input(env: Environment, tmp_path: Path) -> None:
    """Either, or both with a blank line between them; bytes that are no text are no reason to fail. (ours)"""
    async with env.agent(Echo()) as agent:
        environment = environment_of(env, agent)
        ask = ("ask", "--no-stack")
        assert (await piped(tmp_path, *ask, stdin="piped\n", **environment)).output == "You said: piped\n"
        assert (await piped(tmp_path, *ask, "-", stdin="one\ntwo\n", **environment)).output == "You said: one\ntwo\n"
        both = await piped(tmp_path, *ask, "Shorten this:", stdin="text\n", **environment)
        assert both.output == "You said: Shorten this:\n\ntext\n"


async def test_an_answer_as_json_says_which_chat_and_turn_it_is_of(env: Environment, tmp_path: Path) -> None:
    """A chat that is named goes on; what the user should know is a list. (ours)"""
    script = Script(says("Hello."), says("Grüße."))
    away: dict[str, Any] = {"finance_mcp_url": NOWHERE, "it_mcp_url": NOWHERE}
    async with env.agent(script, mcp=McpTransport.SETTINGS, tool_attempts=1, **away) as agent:
        chat = agent.chat()
        await chat.send("Hi")
        words = ("ask", "--no-stack", "--json", "--chat", chat.chat_id, "And in German?")
        asked = await piped(tmp_path, *words, **environment_of(env, agent))

    assert (asked.code, asked.errors) == (0, "")
    answer = json.loads(asked.output)
    assert list(answer) == ["chat", "turn", "reply", "notes"]
    assert (answer["chat"], answer["reply"]) == (chat.chat_id, "Grüße.")
    assert "finance tools are not available" in answer["notes"][0]


async def test_a_turn_that_fails_is_exit_code_1(env: Environment, tmp_path: Path) -> None:
    """Said on standard error, or as JSON; so is a message that is refused. (ours)"""
    async with env.agent(Script(fails("no", attempts=100)), max_message_chars=10) as agent:
        environment = environment_of(env, agent)
        failed = await piped(tmp_path, "ask", "--no-stack", "Hi", **environment)
        refused = await piped(tmp_path, "ask", "--no-stack", "--json", "x" * 11, **environment)
        huge = await piped(tmp_path, "ask", "--no-stack", stdin="x" * 1_000_001, **environment)

    assert (failed.code, failed.output) == (1, "")
    assert failed.errors.startswith("No reply: ")
    assert (refused.code, refused.errors) == (1, "")
    assert json.loads(refused.output)["error"] == "The message has 11 characters; this chat takes 10."
    assert huge == (1, "", "No reply: The message is too long: no chat takes more than 1,000,000 bytes.\n")


async def test_what_goes_wrong_in_a_chat_in_a_pipe_is_beside_the_replies(env: Environment, tmp_path: Path) -> None:
    """And in the exit code; the lines after it are answered. (ours)"""
    too_long = "x" * 21
    typed_in = f"{too_long}\n/nonsense\nCalculate 1 + 1\nquit\n"
    async with env.agent(None, max_message_chars=20) as agent:
        ran = await piped(tmp_path, "chat", "--no-stack", stdin=typed_in, **environment_of(env, agent))

    assert ran.code == 1
    assert ran.errors.splitlines() == [
        "No reply: The message has 21 characters; this chat takes 20.",
        "There is no command /nonsense: /help lists them. A space in front makes it a message.",
    ]
    assert f"You: {too_long}\nYou: /nonsense\nYou: Calculate 1 + 1\nAgent: The result is 2.\n" in ran.output


@pytest.mark.parametrize(
    ("words", "runs", "said"),
    [
        ((), 0, "  (not allowed without --approve: calculator)\n"),
        (("--approve",), 1, "  (allowed by --approve: calculator)\n"),
    ],
    ids=["by default", "approved"],
)
@requirement("approval.pipe")
async def test_what_would_be_asked_is_refused_unless_it_was_approved(
    env: Environment, tmp_path: Path, words: tuple[str, ...], runs: int, said: str
) -> None:
    """There is nobody to ask; the output says what became of it. (ours)"""
    script = Script(says("Hello."), calls("calculator", expression="6*7"), says("Well."))
    async with env.agent(script, approval=("calculator",)) as agent:
        chat = agent.chat()
        await chat.send("Hi")
        words = ("ask", "--no-stack", "--chat", chat.chat_id, *words, "Calculate.")
        asked = await piped(tmp_path, *words, **environment_of(env, agent))
        assert (await chat.history()).activities().count("calculator") == runs

    assert asked == (0, "Well.\n", said)


@pytest.fixture(name="one_connection")
async def _one_connection(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all commands share one: on a machine that is busy, fifty at once may take longer than one may."""
    client = await env.client()

    async def connected() -> Client:
        return client

    monkeypatch.setattr("durable_loop.cli.connecting.connect", connected)


@requirement("durability.order")
@pytest.mark.usefixtures("one_connection")
async def test_fifty_questions_at_once_in_one_chat_have_each_their_own_answer(
    env: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    """However full the chat's queue is. In this process: fifty interpreters would tell no more. (ours)"""
    async with env.agent(Echo()) as agent:
        chat = agent.chat()
        await chat.send("Hi")
        asking = [
            run_ask(agent.settings, f"I am {number}.", chat_id=chat.chat_id, as_json=True, approve=False, stack=False)
            for number in range(50)
        ]
        assert await asyncio.gather(*asking) == [0] * 50
        said = [line.text for line in await chat.transcript() if line.role == "user"][1:]
        accepted = (await chat.history()).attributes("workflowExecutionUpdateAccepted")[1:]

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {answer["reply"] for answer in answers} == {f"You said: I am {number}." for number in range(50)}
    assert len({answer["turn"] for answer in answers}) == 50
    assert sorted(said) == sorted(f"I am {number}." for number in range(50))
    of_turn = {answer["turn"]: answer["reply"].removeprefix("You said: ") for answer in answers}
    assert said == [of_turn[update["acceptedRequest"]["meta"]["updateId"]] for update in accepted]


@pytest.mark.usefixtures("one_connection")
async def test_fifty_chats_at_once_have_each_their_own_answer(
    env: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of one is said in another. (ours)"""
    async with env.agent(Echo()) as agent:
        asking = [
            run_ask(agent.settings, f"I am {number}.", chat_id=None, as_json=True, approve=False, stack=False)
            for number in range(50)
        ]
        assert await asyncio.gather(*asking) == [0] * 50

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {answer["reply"] for answer in answers} == {f"You said: I am {number}." for number in range(50)}
    assert len({answer["chat"] for answer in answers}) == 50


async def listed(env: Environment, *chat_ids: str, state: str | None = None) -> None:
    """Return when the server lists these chats: it takes a moment."""

    async def are_there() -> bool:
        found = {chat.chat_id: chat for chat in await all_chats(await env.client())}
        return all((chat := found.get(chat_id)) and chat.title and state in {None, chat.state} for chat_id in chat_ids)

    await eventually(are_there)


async def test_chats_are_listed_the_newest_first_with_what_the_server_knows(env: Environment, tmp_path: Path) -> None:
    """No chat is asked: here no worker is left that could answer. Runs of one chat are one chat. (ours)"""
    async with env.agent(Echo(), llm_model="openai/gpt-x") as agent:
        first, second = agent.chat(max_run_events=1), agent.chat()
        await first.send("My [bold]title[/bold]\nand " + "more " * 60)
        await second.send("Second")
        await first.send("Again")
        await second.end()
        await second.handle.result()
        this_run = await first.handle.describe()
    await listed(env, first.chat_id)
    await listed(env, second.chat_id, state="ended")

    ran = await piped(tmp_path, "chats", "--json", TEMPORAL_ADDRESS=env.address)
    assert (ran.code, ran.errors) == (0, "")
    chats = json.loads(ran.output)
    (two, one) = [chat for chat in chats if chat["id"] in {first.chat_id, second.chat_id}]
    assert list(one) == ["id", "title", "model", "state", "start", "end"]
    assert (one["id"], one["model"], one["state"], one["end"]) == (first.chat_id, "openai/gpt-x", "open", None)
    assert datetime.fromisoformat(one["start"]) < this_run.start_time
    assert (two["id"], two["title"], two["state"]) == (second.chat_id, "Second", "ended")
    assert datetime.fromisoformat(two["end"]) > datetime.fromisoformat(two["start"])

    ran = await piped(tmp_path, "chats", TEMPORAL_ADDRESS=env.address, COLUMNS="40", FORCE_COLOR="1")
    assert (ran.code, ran.errors) == (0, "")
    (line,) = (line for line in ran.output.splitlines() if line.startswith(first.chat_id))
    assert f"  {one['title'].replace(chr(10), ' ')}  " in line
    assert "[bold]title[/bold] and" in line
    assert "\x1b" not in ran.output

    ran = await piped(tmp_path, "chats", "--limit", "1", TEMPORAL_ADDRESS=env.address)
    assert ran.output.count("\n") == 2


async def test_a_chat_that_nobody_answers_for_is_listed_with_question_marks(env: Environment, tmp_path: Path) -> None:
    """With --long each chat is asked, for no longer than a moment; an old one has no model in its memo. (ours)"""
    client = await env.client()
    old = f"old-{uuid4().hex[:8]}"
    async with env.agent(Script(says("Hello."))) as agent:
        chat = agent.chat()
        await chat.send("Hi")
        start = ChatInput(model="offline")
        await client.start_workflow(names.WORKFLOW_CHAT, start, id=old, task_queue="nobody", memo={"title": "Old"})
        await listed(env, chat.chat_id, old)
        words = ("chats", "--long", "--no-stack")
        ran = await piped(tmp_path, *words, "--json", "--limit", "2", TEMPORAL_ADDRESS=env.address)
        plain = await piped(tmp_path, *words, "--limit", "2", TEMPORAL_ADDRESS=env.address)

    assert ran.code == 0
    of_nobody, of_agent = json.loads(ran.output)
    assert (of_nobody["id"], of_nobody["model"], of_nobody["turns"], of_nobody["last"]) == (old, None, None, None)
    assert (of_agent["id"], of_agent["turns"], of_agent["last"]) == (chat.chat_id, 1, "Hello.")
    header, first, second = plain.output.splitlines()
    assert header.split() == ["id", "title", "model", "state", "start", "end", "turns", "tokens", "last"]
    assert first.split()[:4] == [old, "Old", "?", "open"]
    assert first.split()[-3:] == ["?", "?", "?"]
    assert second.split()[-3:] == ["1", "0", "Hello."]


async def test_in_a_terminal_the_list_fits_and_ids_are_whole(env: Environment) -> None:
    """What has no room is cut where it can be spared. (ours)"""
    async with env.agent(Echo()) as agent:
        chat = agent.chat()
        await chat.send("long " * 100)
        await listed(env, chat.chat_id)
        environment = environment_of(env, agent)
        async with Terminal.running(*PROGRAM, "chats", "--limit", "3", environment=environment, columns=60) as terminal:
            assert await terminal.ended() == 0

    lines = terminal.text.splitlines()
    assert max(map(len, lines)) <= 60
    assert any(line.startswith(f"{chat.chat_id}  long") and "…" in line for line in lines)


async def test_a_chat_that_is_ended_answers_what_it_accepted(env: Environment, tmp_path: Path) -> None:
    """An id that nobody knows keeps none of the others open. (ours)"""
    script = Script(says("Hello."), fails("overloaded", attempts=2), says("Goodbye."))
    async with env.agent(script) as agent:
        chat = agent.chat()
        await chat.send("Hi")
        last = asyncio.create_task(chat.send("One more.", turn_id="last"))
        await eventually(lambda: is_at(chat, "last"))
        ids = ("chat-nobody-knows", chat.chat_id)
        ran = await piped(tmp_path, "end", *ids, TEMPORAL_ADDRESS=env.address)
        assert (await last).text == "Goodbye."
        await chat.handle.result()
        again = await piped(tmp_path, "end", chat.chat_id, TEMPORAL_ADDRESS=env.address)
        words = ("ask", "--no-stack", "--chat", chat.chat_id, "And?")
        asked = await piped(tmp_path, *words, **environment_of(env, agent))

    assert ran == (
        1,
        f"{chat.chat_id} ends with the answers to what it accepted.\n",
        "There is no chat chat-nobody-knows: `durable-loop chats` lists those that there are.\n",
    )
    assert again == (0, f"{chat.chat_id} has ended before.\n", "")
    assert asked == (1, "", f"No reply: The chat {chat.chat_id} was ended; start a new one.\n")


async def is_at(chat: Chat, turn_id: str) -> bool:
    """Whether a chat works on a turn."""
    return (await chat.status()).running == turn_id


async def test_what_is_no_chat_is_not_ended(env: Environment, tmp_path: Path) -> None:
    """A workflow of somebody else, in the same namespace. (ours)"""
    client, foreign = await env.client(), f"foreign-{uuid4().hex[:8]}"
    handle = await client.start_workflow("SomebodyElses", id=foreign, task_queue="nobody")
    ran = await piped(tmp_path, "end", foreign, TEMPORAL_ADDRESS=env.address)

    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.startswith(f"There is no chat {foreign}: ")
    assert (await fetch_history(handle)).count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 0


@pytest.fixture(name="told")
async def _told(env: Environment) -> AsyncGenerator[tuple[str, dict[str, str]]]:
    """Give a chat with a tool call, and the environment of a program that reads it."""
    script = Script(calls("calculator", expression="6*7"), says("It is **42**\n<b>that is</b>"))
    async with env.agent(script) as agent:
        chat = agent.chat()
        await chat.send("6 * 7?")
        yield chat.chat_id, environment_of(env, agent)


async def test_what_was_said_in_a_chat_is_shown(told: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """Title, model and state; then who said what. (ours)"""
    chat_id, environment = told
    shown = await piped(tmp_path, "show", "--transcript", "--no-stack", chat_id, **environment)

    said = (
        f"6 * 7?\n{chat_id} · offline · open\n\n"
        "You: 6 * 7?\n"
        '  tool: calculator({"expression":"6*7"})\n'
        "Agent: It is **42**\n<b>that is</b>\n"
    )
    assert shown == (0, said, "")


async def test_in_a_terminal_a_chat_is_shown_as_it_was_read(told: tuple[str, dict[str, str]]) -> None:
    """Markdown is rendered. (ours)"""
    chat_id, environment = told
    words = ("show", "--transcript", "--no-stack", chat_id)
    async with Terminal.running(*PROGRAM, *words, environment=environment) as terminal:
        assert await terminal.ended() == 0

    assert "You: 6 * 7?\n" in terminal.text
    assert "Agent: It is 42" in terminal.text


async def test_a_chat_is_exported_and_no_file_is_overwritten(told: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """To standard output or a file, in three formats; an old file stays until it is said that it may go. (ours)"""
    chat_id, environment = told
    export = ("export", "--no-stack", chat_id)
    as_json = await piped(tmp_path, *export, "--format", "json", **environment)
    assert json.loads(as_json.output) == [
        {"role": "user", "text": "6 * 7?"},
        {"role": "tool", "text": 'calculator({"expression":"6*7"})'},
        {"role": "agent", "text": "It is **42**\n<b>that is</b>"},
    ]
    assert (await piped(tmp_path, *export, **environment)).output.startswith(f"# 6 * 7?\n\n{chat_id} · offline")

    to_file = (*export, "--format", "html", "--output", "chat.html")
    assert await piped(tmp_path, *to_file, **environment) == (0, "", "")
    page = (tmp_path / "chat.html").read_text()
    assert "&lt;b&gt;that is&lt;/b&gt;" in page

    (tmp_path / "chat.html").write_text("mine")
    said = "chat.html is there already: name another file, or say --force.\n"
    assert await piped(tmp_path, *to_file, **environment) == (2, "", said)
    assert (tmp_path / "chat.html").read_text() == "mine"
    assert await piped(tmp_path, *to_file, "--force", **environment) == (0, "", "")
    assert (tmp_path / "chat.html").read_text() == page

    nowhere = await piped(tmp_path, *export, "--output", "none/chat.md", **environment)
    assert nowhere == (2, "", "none/chat.md cannot be written: No such file or directory.\n")


@requirement("cli.whole")
async def test_what_was_said_before_a_summary_is_shown_and_exported(env: Environment, tmp_path: Path) -> None:
    """The chat remembers a summary of it; nothing that was said is lost. (ours)"""
    script = Script(says("Hello Ada."), says("Hello Grace."), summary=says("Ada came."))
    async with env.agent(script) as agent:
        chat = agent.chat(max_run_events=10)
        await chat.send("I am Ada")
        await chat.send("I am Grace")
        await chat.compact()
        await eventually(lambda: is_summarised(chat))
        words, environment = ("--no-stack", chat.chat_id), environment_of(env, agent)
        shown = await piped(tmp_path, "show", "--transcript", *words, **environment)
        exported = await piped(tmp_path, "export", "--format", "json", *words, **environment)

    assert shown.output.endswith("\n\nYou: I am Ada\nAgent: Hello Ada.\nYou: I am Grace\nAgent: Hello Grace.\n")
    assert [line["text"] for line in json.loads(exported.output)] == [
        *("I am Ada", "Hello Ada.", "I am Grace", "Hello Grace."),
    ]


async def is_summarised(chat: Chat) -> bool:
    return (await chat.status()).summarised > 0


async def test_in_a_terminal_a_reply_is_rendered_and_the_chat_is_named(env: Environment) -> None:
    """Markdown as the chat shows it, and how to go on. (ours)"""
    async with (
        env.agent(Script(says("# Two\n\n**Really** two."))) as agent,
        Terminal.running(*PROGRAM, "ask", "--no-stack", "1 + 1?", environment=environment_of(env, agent)) as terminal,
    ):
        assert await terminal.ended() == 0

    assert "**" not in terminal.text
    assert "Really two." in terminal.text
    assert "  (to go on: durable-loop chat --resume chat-" in terminal.text


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("ask",), {}, "There is nothing to ask: type durable-loop ask"),
        (("ask", "--no-stack", "Hi"), AWAY, "No Temporal answers at 127.0.0.1:9"),
        (("ask", "--stack", "Hi"), AWAY, "No Temporal answers at 127.0.0.1:9"),
        (("ask", "Hi"), {"LLM_MODEL": "nonsense"}, "does not say whose model it is"),
        (("ask", "Hi", "--chat"), {}, "requires an argument"),
        (("end",), {}, "Missing argument"),
        (("export", "chat-1", "--format", "pdf"), {}, "'pdf' is not one of"),
        (("show", "--no-stack", "chat-1"), AWAY, "No Temporal answers at 127.0.0.1:9"),
        (("end", "chat-1"), AWAY, "No Temporal answers at 127.0.0.1:9"),
        (("chats",), AWAY, "No Temporal answers at 127.0.0.1:9"),
        (("chats", "--limit", "0"), {}, "Invalid value for '--limit'"),
        (("chats", "--no-stack"), {"TEMPORAL_NAMESPACE": "nowhere", **AWAY}, "No Temporal answers"),
    ],
)
@requirement("cli.words")
async def test_wrong_use_and_set_up_is_said_in_words(
    tmp_path: Path, words: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    """Exit code 2, nothing on standard output. (ours)"""
    ran = await piped(tmp_path, *words, **environment, DURABLE_LOOP_DATA_DIR=str(tmp_path))

    assert (ran.code, ran.output) == (2, "")
    assert said in ran.errors


@pytest.mark.parametrize(
    "words", [("ask", "Hi", "--chat"), ("export",), ("show",), ("show", "--transcript")], ids="-".join
)
@pytest.mark.parametrize(
    "chat_id", ["chat-nobody-knows", "", "\x1b[2J", "x" * 2_000], ids=["other", "", "codes", "long"]
)
@requirement("cli.words")
async def test_an_unknown_chat_is_one_line_that_says_what_to_type(
    env: Environment, tmp_path: Path, words: tuple[str, ...], chat_id: str
) -> None:
    """Exit code 2; also for what can be no id. (ours)"""
    ran = await piped(tmp_path, *words, chat_id, "--no-stack", TEMPORAL_ADDRESS=env.address)

    assert (ran.code, ran.output) == (2, "")
    assert ran.errors.startswith("There is no chat ")
    assert ran.errors.endswith(": `durable-loop chats` lists those that there are.\n")
    assert ran.errors.count("\n") == 1
    assert "\x1b" not in ran.errors


async def test_the_version_is_told(tmp_path: Path) -> None:
    """That of the package. (ours)"""
    assert await piped(tmp_path, "--version") == (0, f"durable-loop {version('durable-loop')}\n", "")
