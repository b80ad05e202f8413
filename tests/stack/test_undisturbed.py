"""A chat in which much goes wrong reads afterwards like one undisturbed conversation."""

import asyncio
import os
import signal
from pathlib import Path

from durable_loop.testing import Script, calls, says, streams
from durable_loop.testing.fake_model import SCRIPT_VARIABLE
from tests.e2e.dictation import GATE_VARIABLE, NEVER, WAITS_AFTER
from tests.e2e.terminal import ROOT, Terminal
from tests.requirements import requirement
from tests.stack.stacks import TestStack

SCRIPT = Script(
    says("Nice to meet you, Ada."),
    *(calls("calculator", expression="6 * 7"), says("It is 42.")),
    *(calls("set_jira_project", project="DEMO-1"), says("The project is set.")),
    streams(NEVER, "Never said."),
    streams(WAITS_AFTER, "Two."),
    *(calls("stock_price", ticker="AAPL"), says("AAPL is at 185.50.")),
    streams(WAITS_AFTER, "Two, again."),
    says("It is yours."),
    *(calls("get_jira_metrics"), says("Six are open.")),
    says("You are Ada."),
)
CONVERSATION = """\
You: My name is Ada
Agent: Nice to meet you, Ada.
You: What is 6 * 7?
  tool: calculator({"expression":"6 * 7"})
Agent: It is 42.
You: Set the project to DEMO-1
  tool: set_jira_project({"project":"DEMO-1"})
Agent: The project is set.
You: Count for ever
  note: [This turn has no answer: The turn was cancelled. What already ran: nothing.]
You: Count to two
Agent: One.
Two.
You: What is AAPL at?
  tool: stock_price({"ticker":"AAPL"})
Agent: AAPL is at 185.50.
You: Count again
Agent: One.
Two, again.
You: Whose is it?
Agent: It is yours.
You: How is the project?
  tool: get_jira_metrics({})
Agent: Six are open.
You: Who am I?
Agent: You are Ada.
"""


@requirement("cli.undisturbed")
async def test_a_chat_in_which_much_goes_wrong_reads_like_one_in_which_nothing_did(
    stack: TestStack, tmp_path: Path
) -> None:
    """Approval, cancellation, a worker killed in mid-stream, a terminal killed, and another one. (ours)"""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    SCRIPT.write(tmp_path / "script.json")
    environment = {
        # For the provider: workers find what is installed, and tests are not.
        "PYTHONPATH": str(ROOT),
        "DURABLE_LOOP_MODEL_PROVIDER": "tests.e2e.dictation:GatedProvider",
        SCRIPT_VARIABLE: str(tmp_path / "script.json"),
        GATE_VARIABLE: str(gate),
        "DURABLE_LOOP_APPROVAL": "writing",
    }
    async with stack.client(**environment) as terminal:
        await says_and_hears(terminal, "My name is Ada", "Agent: Nice to meet you, Ada.")
        await says_and_hears(terminal, "What is 6 * 7?", "Agent: It is 42.")
        await says_and_hears(terminal, "Set the project to DEMO-1", "Allow it?")
        await says_and_hears(terminal, "y", "Agent: The project is set.")
        await says_and_hears(terminal, "Count for ever", "Agent: For ever.")
        terminal.type("\x03")
        await terminal.shows("No reply: The turn was cancelled.")
        await says_and_hears(terminal, "Count to two", "Agent: One.")
        stack.part("orchestrator-worker").kill()
        await asyncio.to_thread(_open_the_gate, gate)
        await terminal.shows("Two.")
        assert terminal.text.count("Agent: One.") == 1
        await says_and_hears(terminal, "What is AAPL at?", "Agent: AAPL is at 185.50.")
        await says_and_hears(terminal, "Count again", "Agent: One.", times=2)
        # Another one holds the stack before this one goes.
        async with stack.client("--resume", **environment) as another:
            await another.shows("Agent: One.", times=2)
            terminal.signal(signal.SIGKILL)
            await terminal.ended()
            await asyncio.to_thread(_open_the_gate, gate)
            await another.shows("Two, again.")
            await says_and_hears(another, "Whose is it?", "Agent: It is yours.")
            await says_and_hears(another, "How is the project?", "Agent: Six are open.")
            await says_and_hears(another, "Who am I?", "Agent: You are Ada.")

            async with stack.client("--resume", **environment) as last:
                await last.shows("Agent: You are Ada.")
                await last.shows("You:", times=11)
                assert _dialogue(last) == CONVERSATION


async def says_and_hears(terminal: Terminal, line: str, answer: str, *, times: int = 1) -> None:
    """Type a line and wait for what it leads to."""
    terminal.say(line)
    await terminal.shows(answer, times=times)


def _open_the_gate(gate: Path) -> None:
    with gate.open("wb"):  # until somebody waits at it
        pass


def _dialogue(terminal: Terminal) -> str:
    lines = [line for line in terminal.text.splitlines() if line.strip()]
    first = next(number for number, line in enumerate(lines) if line.startswith("You: "))
    return "".join(f"{line}\n" for line in lines[first:-1])
