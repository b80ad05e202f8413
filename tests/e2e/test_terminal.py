"""The terminal chat, key by key: a real program in a real pseudo-terminal, its screen read as a person reads it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from durable_loop.chat.client import Chat
from durable_loop.chat.listing import all_chats
from durable_loop.chat.messages import ChatInput
from durable_loop.testing import Agent, Environment, Script, TestedChat, calls, says
from tests.e2e.dictation import Dictates
from tests.e2e.terminal import Terminal
from tests.e2e.waiting import eventually
from tests.requirements import requirement

CTRL_C, CTRL_D, CTRL_J, CTRL_R = "\x03", "\x04", "\x0a", "\x12"
ALT_ENTER, UP, TAB = "\x1b\r", "\x1b[A", "\t"
COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9]+)*m")
PASTE = "\x1b[200~{}\x1b[201~"


async def newest(env: Environment, agent: Agent) -> TestedChat:
    """Return the chat that began last with this agent."""
    client = await env.client()
    (chat_id, *_) = [chat.chat_id for chat in await all_chats(client)]
    return agent.chat(chat_id)


async def said_by_the_user(chat: TestedChat) -> list[str]:
    """Return the user's messages."""
    return [line.text for line in await chat.transcript() if line.role == "user"]


def screen_of(terminal: Terminal) -> list[str]:
    """Return the dialogue on the screen, without what stands above it and the prompt below it."""
    lines = [line for line in terminal.text[terminal.text.index("You: ") :].splitlines() if line.strip()]
    return lines[:-1] if lines[-1] == "You:" else lines


@requirement("cli.interrupt")
async def test_ctrl_c_stops_the_turn_and_the_chat_goes_on(env: Environment) -> None:
    """At an empty prompt the second one leaves, and says how to come back. (ours)"""
    model = Dictates("One.\n\n", "Two.")
    async with env.agent(model) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("Count")
        model.go_on()
        await terminal.shows("Agent: One.")
        terminal.type(CTRL_C)
        await terminal.shows("No reply: The turn was cancelled.")
        model.go_on_to_the_end()
        terminal.say("And now?")
        await terminal.shows("Two.")

        terminal.type("half a thought" + CTRL_C)
        await terminal.shows("You:", times=3)
        terminal.type(CTRL_C)
        await terminal.shows("(Ctrl-C again leaves, and the chat stays)")
        assert "half a thought" not in terminal.text
        terminal.type(CTRL_C)
        assert await terminal.ended() == 130
        chat_id = terminal.text.rpartition("--resume ")[2]

        lines = [line.text for line in await agent.chat(chat_id).transcript()]
        assert (lines[0], lines[2:]) == ("Count", ["And now?", "One.\n\nTwo."])


@requirement("cli.interrupt")
async def test_a_second_ctrl_c_leaves_while_the_turn_is_being_cancelled(env: Environment) -> None:
    """Whoever presses it twice wants to go; the chat stays. (ours)"""
    model = Dictates("One.\n\n", "Two.")
    async with env.agent(model) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("Count")
        model.go_on()
        await terminal.shows("Agent: One.")
        terminal.type(CTRL_C + CTRL_C)

        assert await terminal.ended() == 130
        assert "The chat stays. Go on with it: uv run client.py --resume chat-" in terminal.text
        await eventually(lambda: _has_said(env, agent, "cancelled"))


async def _has_said(env: Environment, agent: Agent, text: str) -> bool:
    return any(text in line.text for line in await (await newest(env, agent)).transcript())


@requirement("cli.interrupt")
async def test_ctrl_d_leaves_in_the_middle_of_a_reply_which_is_there_on_return(env: Environment) -> None:
    """It goes on to be read there, and what came meanwhile is shown. (ours)"""
    model = Dictates("One.\n\n", "Two.\n\n", "Three.")
    async with env.agent(model) as agent:
        async with Terminal.talking_to(env, agent) as terminal:
            terminal.say("Count")
            model.go_on()
            await terminal.shows("Agent: One.")
            terminal.type(CTRL_D)
            assert await terminal.ended() == 0
        async with Terminal.talking_to(env, agent, "--resume") as terminal:
            await terminal.shows("You: Count")
            await terminal.shows("Agent: One.")
            assert "Three." not in terminal.text
            model.go_on_to_the_end()
            await terminal.shows("Three.")
            await terminal.shows("You:", times=2)

            assert screen_of(terminal) == ["You: Count", "Agent: One.", "Two.", "Three."]
        async with Terminal.talking_to(env, agent, "--resume") as terminal:
            await terminal.shows("Three.")
            assert screen_of(terminal) == ["You: Count", "Agent: One.", "Two.", "Three."]


async def test_a_message_may_have_many_lines(env: Environment) -> None:
    """Alt-Enter and Ctrl-J begin another one, Enter sends. (ours)"""
    async with env.agent(Script(says("So it has."))) as agent, Terminal.talking_to(env, agent) as terminal:
        await terminal.shows("You:")
        terminal.type(f"one{ALT_ENTER}two{CTRL_J}three\r")
        await terminal.shows("Agent: So it has.")

        assert await said_by_the_user(await newest(env, agent)) == ["one\ntwo\nthree"]
        assert screen_of(terminal) == ["You: one", "     two", "     three", "Agent: So it has."]


@pytest.mark.parametrize("when", ["at the prompt", "while the agent works", "before the program is there"])
async def test_what_is_pasted_is_one_message(env: Environment, when: str) -> None:
    """Five hundred lines of it, and Enter sends them. (ours)"""
    pasted = "\n".join(f"line {number}" for number in range(500))
    model = Dictates("Well.", "Well.")
    async with env.agent(model) as agent, Terminal.talking_to(env, agent) as terminal:
        messages = [pasted]
        if when == "before the program is there":
            # No program has asked yet for pastes to be marked: they are what is typed.
            messages = [f"line {number}" for number in range(3)]
            terminal.type("".join(f"{line}\r" for line in messages))
            model.go_on_to_the_end()
        elif when == "while the agent works":
            terminal.say("first")
            await terminal.shows("Agent: …")
            terminal.type(PASTE.format(pasted.replace("\n", "\r")) + "\r")
            model.go_on_to_the_end()
            messages = ["first", pasted]
        else:
            await terminal.shows("You:")
            terminal.type(PASTE.format(pasted.replace("\n", "\r")) + "\r")
            model.go_on_to_the_end()
        await terminal.shows("Agent: Well.", times=len(messages) if when != "while the agent works" else 1)

        async def are_there() -> bool:
            return await said_by_the_user(await newest(env, agent)) == messages

        await eventually(are_there)


async def test_what_was_typed_in_another_session_is_found_again(env: Environment, tmp_path: Path) -> None:
    """Up goes back, Ctrl-R searches. (ours)"""
    folder = str(tmp_path)
    async with env.agent(None) as agent:
        async with Terminal.talking_to(env, agent, DURABLE_LOOP_DATA_DIR=folder) as terminal:
            terminal.say("Calculate 20 + 3")
            await terminal.shows("Agent: The result is 23.")
            terminal.say("Calculate 3 * 4")
            await terminal.shows("Agent: The result is 12.")
            terminal.say("/quit")
            assert await terminal.ended() == 0
        async with Terminal.talking_to(env, agent, DURABLE_LOOP_DATA_DIR=folder) as terminal:
            await terminal.shows("You:")
            terminal.type(UP + UP + UP)
            await terminal.shows("You: Calculate 20 + 3")
            terminal.type("1\r")
            await terminal.shows("Agent: The result is 51.")
            terminal.type(CTRL_R + "* 4")
            await terminal.shows("Calculate 3 * 4")
            terminal.type("\r\r")
            await terminal.shows("Agent: The result is 12.")


async def test_commands_and_what_follows_them_are_completed(env: Environment) -> None:
    """With Tab: names, formats, ids of chats. (ours)"""
    async with env.agent(None) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("Calculate 1 + 1")
        await terminal.shows("Agent: The result is 2.")
        chat = await newest(env, agent)
        terminal.type("/his" + TAB)
        await terminal.shows("You: /history")
        terminal.type(CTRL_C + "/e" + TAB)
        await terminal.shows("/edit [TEXT]")
        await terminal.shows("write this chat to a file")
        terminal.type(CTRL_C + "/export h" + TAB)
        await terminal.shows("You: /export html")
        terminal.type(CTRL_C + f"/resume {chat.chat_id[:-2]}" + TAB)
        await terminal.shows(f"You: /resume {chat.chat_id}")


async def test_a_message_can_be_written_in_an_editor(env: Environment, tmp_path: Path) -> None:
    """What was written is in the prompt, to be sent or not. (ours)"""
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "%s and\\nmore" "$(cat "$1")" >"$1"\n')
    editor.chmod(0o700)
    async with (
        env.agent(Script(says("Fine."))) as agent,
        Terminal.talking_to(env, agent, VISUAL=str(editor)) as terminal,
    ):
        terminal.say("/edit this")
        await terminal.shows("You: this and\n     more")
        terminal.type("\r")
        await terminal.shows("Agent: Fine.")
        assert await said_by_the_user(await newest(env, agent)) == ["this and\nmore"]


@requirement("cli.commands-within")
async def test_commands_before_there_is_a_chat_say_so(env: Environment) -> None:
    """Nothing begins by asking about it. (ours)"""
    async with env.agent(None) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("/tools")
        await terminal.shows("(the tools are known after the first message)")
        for number, command in enumerate(("history", "approve", "cancel", "compact", "export", "link"), start=1):
            terminal.say(f"/{command}")
            await terminal.shows("(the chat begins with the first message)", times=number)
        terminal.say("/quit")
        assert await terminal.ended() == 0
        assert "The chat stays." not in terminal.text


@requirement("cli.commands-within")
async def test_every_command_within_a_chat(env: Environment, tmp_path: Path) -> None:
    """Each of them, as it is typed; bad ones are told in a line, and the chat goes on. (ours)"""
    async with env.agent(None) as agent, Terminal.talking_to(env, agent, columns=200, rows=300) as terminal:
        terminal.say("/help")
        await terminal.shows("/export [md|json|html] [FILE]  write this chat to a file")
        terminal.say("Calculate 1 + 1")
        await terminal.shows("Agent: The result is 2.")
        chat_id = (await newest(env, agent)).chat_id

        terminal.say("/tools")
        await terminal.shows("  calculator: Evaluate an arithmetic expression exactly.")
        terminal.say("/history")
        await terminal.shows('  tool: calculator({"expression": "1 + 1"})')
        terminal.say("/model")
        await terminal.shows("(the model is offline)")
        terminal.say("/model gpt-4")
        await terminal.shows("openai/gpt-4 needs OPENAI_API_KEY")
        terminal.say("/model no such thing")
        await terminal.shows(re.compile(r"^  \(.*no such thing", re.MULTILINE))
        terminal.say("/approve")
        await terminal.shows("(the agent asks nothing)")
        terminal.say("/cancel")
        await terminal.shows("(nothing is being answered)")
        terminal.say("/compact")
        await terminal.shows("(the older turns are summarised as soon as nothing is being answered)")
        terminal.say(f"/export json {tmp_path / 'chat.json'}")
        await terminal.shows("(the chat is in ")
        assert json.loads((tmp_path / "chat.json").read_text())[0] == {"role": "user", "text": "Calculate 1 + 1"}
        terminal.say(f"/export json {tmp_path / 'chat.json'}")
        await terminal.shows("is there already: name")
        terminal.say(f"/export {tmp_path / 'no' / 'chat.md'}")
        await terminal.shows("cannot be written: No such file or directory.")
        terminal.say("/link")
        await terminal.shows("is not known: set DURABLE_LOOP_TEMPORAL_UI")
        terminal.say("/status")
        await terminal.shows(f"  {chat_id}: open, offline, 1 message answered")
        terminal.say("/chats")
        await terminal.shows(f"{chat_id}  Calculate 1 + 1")

        terminal.say("/new")
        await terminal.shows(f"({chat_id} stays: /resume {chat_id})")
        terminal.say("Calculate 2 + 2")
        await terminal.shows("Agent: The result is 4.")
        terminal.say("/resume chat-nobody-knows")
        await terminal.shows("There is no chat chat-nobody-knows.")
        terminal.say(f"/resume {chat_id}")
        await terminal.shows("Agent: The result is 2.", times=3)
        terminal.say("/nonsense")
        await terminal.shows("There is no command /nonsense: /help lists them.")
        terminal.say("/quit")
        assert await terminal.ended() == 0
        assert terminal.text.endswith(f"--resume {chat_id}")
        assert "Traceback" not in terminal.text


@requirement("cli.commands-within", "cli.words")
async def test_what_a_command_cannot_do_is_told_in_a_line(env: Environment) -> None:
    """And the chat goes on. (ours)"""
    client = await env.client()
    no_chat = await client.start_workflow("Waiting", id="no-chat", task_queue="nobody-polls-here")
    async with env.agent(None) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("Calculate 1 + 1")
        await terminal.shows("Agent: The result is 2.")
        terminal.say("/resume no-chat")
        await terminal.shows("(no-chat is no chat: it is a workflow of type Waiting.)")
        terminal.say("/export md ~nobody-has-this-name/chat.md")
        await terminal.shows("(~nobody-has-this-name/chat.md: there is no such home folder.)")
        terminal.say("/export md no/such/folder/chat.md")
        await terminal.shows("(no/such/folder/chat.md cannot be written: No such file or directory.)")
        terminal.say("/export pdf")
        await terminal.shows("(There is no format pdf: write md, json, html, or a file's name with a dot.)")
        terminal.say("/quit now")
        await terminal.shows("/quit stands alone: nothing follows it.")
        terminal.say("Calculate 2 + 2")
        await terminal.shows("Agent: The result is 4.")
    await no_chat.terminate()


async def test_a_line_with_a_space_in_front_or_a_path_is_a_message(env: Environment) -> None:
    """What begins like a command is one; the rest is for the agent. (ours)"""
    script = Script(says("One."), says("Two."))
    async with env.agent(script) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say(" /help")
        await terminal.shows("Agent: One.")
        terminal.say("/etc/hosts, what is that?")
        await terminal.shows("Agent: Two.")
        assert await said_by_the_user(await newest(env, agent)) == ["/help", "/etc/hosts, what is that?"]


@requirement("cli.retries-shown")
async def test_a_message_that_no_worker_takes_up_is_told_so(env: Environment) -> None:
    """Until then it is not accepted. (ours)"""
    async with (
        env.agent(None) as agent,
        Terminal.talking_to(env, agent, DURABLE_LOOP_ORCHESTRATOR_QUEUE="nobody-polls-here-either") as terminal,
    ):
        terminal.say("Is somebody there?")
        await terminal.shows(re.compile(r"Agent: … \(no worker has taken it up, \d+ s\)"))


@requirement("cli.several")
async def test_two_terminals_in_one_chat_see_each_others_turns(env: Environment) -> None:
    """In the order of the chat, in both; nothing twice. (ours)"""
    async with env.agent(None) as agent, Terminal.talking_to(env, agent) as one:
        one.say("Calculate 1 + 1")
        await one.shows("Agent: The result is 2.")
        chat_id = (await newest(env, agent)).chat_id
        async with Terminal.talking_to(env, agent, "--resume", chat_id) as two:
            await two.shows("Agent: The result is 2.")
            two.say("Calculate 2 + 2")
            await two.shows("Agent: The result is 4.")
            await one.shows("You (elsewhere): Calculate 2 + 2")
            await one.shows("Agent: The result is 4.")
            one.say("Calculate 3 + 3")
            await two.shows("You (elsewhere): Calculate 3 + 3")
            await two.shows("Agent: The result is 6.")
            await one.shows("Agent: The result is 6.")

            replies = [f"Agent: The result is {number}." for number in (2, 4, 6)]
            for terminal in (one, two):
                assert [line for line in screen_of(terminal) if line.startswith("Agent:")] == replies


async def test_a_message_waits_for_that_of_another_terminal(env: Environment) -> None:
    """What the other one is told is not taken for the reply to this one. (ours)"""
    model = Dictates("Well.\n\n", "Done.")
    async with env.agent(model) as agent, Terminal.talking_to(env, agent) as one:
        one.say("First")
        model.go_on()
        await one.shows("Agent: Well.")
        chat_id = (await newest(env, agent)).chat_id
        chat = Chat(await env.client(), chat_id, ChatInput(model="offline"))
        other = asyncio.create_task(chat.send("Second"))
        await eventually(lambda: _waits(chat))
        async with Terminal.talking_to(env, agent, "--resume", chat_id) as two:
            await two.shows("You: First")
            await two.shows("Agent: Well.")
            model.go_on_to_the_end()
            await two.shows("You: Second")
            await two.shows("Done.", times=2)
            await two.shows("You:", times=3)

            assert screen_of(two) == ["You: First", "Agent: Well.", "Done.", "You: Second", "Agent: Well.", "Done."]
        await other
        await one.shows("You (elsewhere): Second")


async def _waits(chat: Chat) -> bool:
    return len((await chat.status()).waiting) == 1


NARROW = """\
A paragraph that is much longer than forty columns are wide.

| 都市 | weather |
|---|---|
| 東京 | sunny ☀ |
| Bern | rain |

```python
print('a line of code')
```
"""


@pytest.fixture(name="narrow")
async def _narrow(env: Environment) -> AsyncGenerator[Terminal]:
    script = Script(calls("calculator", expression="1 + " * 20 + "1"), says(NARROW))
    async with env.agent(script) as agent, Terminal.talking_to(env, agent, columns=40) as terminal:
        yield terminal


async def test_forty_columns_are_enough(narrow: Terminal) -> None:
    """Nothing is wider, words stay whole, tables stand in columns, whatever the script. (ours)"""
    narrow.say("Tell me")
    await narrow.shows("a line of code")
    await narrow.shows("You:", times=2)

    lines = screen_of(narrow)
    assert "Agent: A paragraph that is much longer" in lines
    assert "than forty columns are wide." in lines
    (tokyo,) = (line for line in lines if "東京" in line)
    (bern,) = (line for line in lines if "Bern" in line)
    # As columns: each of the two characters has two, and the emulator shows an empty cell behind each.
    assert tokyo.index("sunny") + (0 if "東 " in tokyo else 2) == bern.index("rain")


async def test_the_window_may_change_its_size(env: Environment) -> None:
    """What comes then fits the new one. (ours)"""
    first, second = "A first paragraph of some forty characters.", "And a second one that is wider than thirty."
    model = Dictates(f"{first}\n\n", second)
    async with env.agent(model) as agent, Terminal.talking_to(env, agent) as terminal:
        terminal.say("Tell me")
        model.go_on()
        await terminal.shows(f"Agent: {first}")
        terminal.resize(30, 60)
        model.go_on_to_the_end()
        await terminal.shows("And a second one that is wider\nthan thirty.")
        terminal.say("quit")
        assert await terminal.ended() == 0


@pytest.mark.parametrize(("term", "no_color"), [("xterm", "1"), ("dumb", "")], ids=["NO_COLOR", "dumb"])
async def test_no_colours_where_none_are_wanted(env: Environment, term: str, no_color: str) -> None:
    """And no sequences at all where the terminal knows none. (ours)"""
    script = Script(
        calls("calculator", expression="1 + 1"), says("# Two\n\n**It is** `2`.\n\n```python\nprint(2)\n```")
    )
    async with (
        env.agent(script) as agent,
        Terminal.talking_to(env, agent, term=term, NO_COLOR=no_color) as terminal,
    ):
        terminal.say("Tell me")
        await terminal.shows("print(2)")
        terminal.say("quit")
        assert await terminal.ended() == 0

        colours = re.findall(
            rb"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|38|48)(?:;[0-9]+)*m", terminal.written
        )
        assert colours == []
        if term == "dumb":
            assert b"\x1b" not in terminal.written


async def test_what_is_typed_at_a_dumb_terminal_is_there_once(env: Environment) -> None:
    """It cannot take back what it showed. (ours)"""
    script = Script(says("Hello."), says("Again."))
    async with env.agent(script) as agent, Terminal.talking_to(env, agent, term="dumb") as terminal:
        await terminal.shows("You:")
        terminal.say("My name is Ada")
        await terminal.shows("Agent: Hello.")
        terminal.say("Who am I?")
        await terminal.shows("Agent: Again.")
        terminal.say("quit")
        assert await terminal.ended() == 0
        assert [terminal.text.count(said) for said in ("My name is Ada", "Who am I?")] == [1, 1]
        assert "You: My name is Ada\nAgent: Hello.\n" in terminal.text
        assert b"\x1b" not in terminal.written


async def test_colours_where_they_are_welcome(env: Environment) -> None:
    """The check above can fail: code is highlighted. (ours)"""
    async with (
        env.agent(Script(says("```python\nprint(2)\n```"))) as agent,
        Terminal.talking_to(env, agent) as terminal,
    ):
        terminal.say("Tell me")
        await terminal.shows("print(2)")
        assert COLOUR.search(terminal.written)
