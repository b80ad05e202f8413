"""The terminal chat as a person uses it: real processes, a real pseudo-terminal."""

import re
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from durable_loop.bootstrap.client import connect
from durable_loop.testing import Environment, Script, fails, says
from durable_loop.testing.fake_model import SCRIPT_VARIABLE
from tests.e2e.terminal import Terminal
from tests.requirements import requirement
from tests.stack.relay import Relay
from tests.stack.stacks import TestStack

SEED = {
    "Calculate 15 * 23": "Agent: The result is 345.",
    "What's the weather in New York?": "Agent: The weather in New York: ",
    "What is the stock price of AAPL?": "Agent: The current stock price of AAPL is $185.50",
    "Calculate the ROI for $10000 invested at 5% for 10 years": (
        "Agent: The ROI for $10,000 invested at 5% annually over 10 years is $16,288.95"
    ),
    "Set the JIRA project to DEMO-123": "Agent: JIRA project set to: DEMO-123",
    "Get JIRA metrics": "Agent: JIRA metrics for DEMO-123",
    "Track my IP address": "Agent: IP address tracked: 172.16.0.1",
    "Show me the IP history": "1. 172.16.0.1 (tracked at 20",
    "What is my name?": "Agent: Your name is Ada.",
}


@requirement("tools.local", "cli.examples", "models.offline", "cli.memory")
async def test_a_newcomer_types_ahead_and_every_example_of_the_seed_is_answered(stack: TestStack) -> None:
    """The prompt is there while everything starts; what is typed meanwhile waits; Ctrl-D leaves nothing. (seed)"""
    async with stack.client(ANTHROPIC_API_KEY="sk-secret-1234") as terminal:
        await terminal.shows("You:")
        assert terminal.text.startswith(
            "durable-loop: kill anything at any moment; no turn is lost, repeated or mixed up.\n"
            "Model: the offline model (rule-based, no key, no network). Set LLM_MODEL to use a real one.\n"
            "ANTHROPIC_API_KEY is set: LLM_MODEL=claude-3-5-sonnet-20241022 would use it.\n"
            "Type a message; /help lists the commands; `quit` or Ctrl-D leaves, and the chat stays.\n"
        )
        terminal.say("My name is Ada")
        await terminal.shows("orchestrator-worker is ready")
        await terminal.shows("Ada. I will remember")
        for number, (said, answered) in enumerate(SEED.items(), start=3):
            await terminal.shows("You:", times=number - 1)
            terminal.say(said)
            await terminal.shows(answered)
        await terminal.shows("You:", times=len(SEED) + 2)
        terminal.type("\x04")

        assert await terminal.ended() == 0
        assert "The chat stays. Go on with it: uv run client.py --resume chat-" in terminal.text
        assert "sk-secret" not in terminal.text
    await stack.gone()
    for log in stack.folder.log("x").parent.iterdir():
        assert "sk-secret" not in log.read_text()


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        ("quit\r", 0),
        ("\x04", 0),
        ("\x03\x03", 130),
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 143),
        (signal.SIGKILL, -9),
    ],
    ids=["quit", "Ctrl-D", "Ctrl-C", "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"],
)
@requirement("stack.leaves-nothing")
async def test_however_the_last_client_leaves_nothing_is_left(
    stack: TestStack, leave: str | signal.Signals, code: int
) -> None:
    """The kernel closes the lease of a client that dies; here it goes while the parts still start. (ours)"""
    async with stack.client() as terminal:
        await terminal.shows("temporal is ready")
        _ = stack.state
        if isinstance(leave, str):
            terminal.type(leave)
        else:
            terminal.signal(leave)

        assert await terminal.ended() == code
    await stack.gone()


@requirement("cli.interrupt")
async def test_a_message_can_be_taken_back_while_everything_starts(stack: TestStack) -> None:
    """Ctrl-C, and it is not sent; the chat begins with the next one. (ours)"""
    async with stack.client() as terminal:
        await terminal.shows("You:")
        terminal.say("A slip")
        await terminal.shows("Agent: …")
        terminal.type("\x03")
        await terminal.shows("(not sent)")
        terminal.say("My name is Ada")
        await terminal.shows("Ada. I will remember")
        terminal.say("/history")
        await terminal.shows("You: My name is Ada", times=2)
        assert terminal.text.count("A slip") == 1


@requirement("cli.memory")
async def test_a_chat_goes_on_after_everything_was_stopped(stack: TestStack) -> None:
    """The chats are on disk: `--resume` takes the newest, `--resume ID` the one that is named. (ours)"""
    async with stack.client() as terminal:
        terminal.say("My name is Ada")
        await terminal.shows("Ada. I will remember")
        terminal.say("quit")
        assert await terminal.ended() == 0
        chat_id = terminal.text.rpartition("--resume ")[2]
    await stack.gone()

    async with stack.client("--resume") as terminal:
        await terminal.shows("You: My name is Ada")
        terminal.say("What is my name?")
        await terminal.shows("Agent: Your name is Ada.")
        code, output, errors = await stack.run("client.py", "--resume", chat_id, typed="Calculate 2 + 3\nquit\n")
        assert (code, errors) == (0, "")
        assert (
            "You: What is my name?\nAgent: Your name is Ada.\nYou: Calculate 2 + 3\nAgent: The result is 5.\n" in output
        )

        code, _, errors = await stack.run("client.py", "--resume", "chat-nobody-knows")
        assert (code, errors) == (1, "There is no chat chat-nobody-knows.\n")
    await stack.gone()


@requirement("cli.killed-client")
async def test_a_message_whose_client_was_killed_is_answered_when_the_chat_is_resumed(
    stack: TestStack, tmp_path: Path
) -> None:
    """Accepted means answered: client, workers and server all go while the model is busy. (ours)"""
    script = tmp_path / "script.json"
    Script(says("Hello."), fails("overloaded", attempts=4), says("Here I am.")).write(script)
    fake = {
        "DURABLE_LOOP_MODEL_PROVIDER": "durable_loop.testing.fake_model:provider_from_environment",
        SCRIPT_VARIABLE: str(script),
    }

    async with stack.client(**fake) as terminal:
        terminal.say("Hi")
        await terminal.shows("Agent: Hello.")
        terminal.say("Are you there?")
        await terminal.shows("…")
        terminal.signal(signal.SIGKILL)
        await terminal.ended()
    await stack.gone()

    async with stack.client("--resume", **fake) as terminal:
        await terminal.shows("You: Hi")
        await terminal.shows("Agent: Here I am.")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DURABLE_LOOP_HEARTBEAT_TIMEOUT": "soon"}, "DURABLE_LOOP_HEARTBEAT_TIMEOUT='soon' cannot be used"),
        ({"LLM_MODEL": "gpt-4"}, "needs OPENAI_API_KEY"),
        ({"LLM_MODEL": "claude-3-5-sonnet-20241022"}, "needs ANTHROPIC_API_KEY"),
        ({"LLM_MODEL": "gemini/gemini-pro"}, "GOOGLE_API_KEY"),
        ({"LLM_MODEL": "nonsense"}, "does not say whose model it is"),
        ({"LLM_MODEL": "nobody/model"}, "LiteLLM knows no provider `nobody`"),
        ({"DURABLE_LOOP_TEMPORAL_CLI": "/nowhere/temporal"}, "DURABLE_LOOP_TEMPORAL_CLI=/nowhere/temporal is not"),
        ({"DURABLE_LOOP_DATA_DIR": "/proc/nowhere"}, "The data folder /proc/nowhere cannot be written to"),
        ({"TEMPORAL_ADDRESS": "127.0.0.1:9"}, "No Temporal answers at 127.0.0.1:9"),
    ],
    ids=[
        "duration",
        "OpenAI key",
        "Anthropic key",
        "Gemini key",
        "model without provider",
        "unknown provider",
        "Temporal program",
        "data folder",
        "Temporal address",
    ],
)
@requirement("cli.words")
async def test_what_is_wrong_is_said_in_words_before_the_chat_opens(
    stack: TestStack, environment: dict[str, str], message: str
) -> None:
    """One readable message, exit code 2, no traceback, nothing left running. (ours)"""
    stack.environment |= environment
    code, _, errors = await stack.run("client.py", typed="hello\n")

    assert code == 2
    assert message in errors
    assert "Traceback" not in errors
    await stack.gone()


@requirement("setup.dotenv")
async def test_a_dotenv_file_in_the_current_folder_is_read(stack: TestStack, tmp_path: Path) -> None:
    """The environment wins over it; keys in it count. (seed)"""
    (tmp_path / ".env").write_text("LLM_MODEL=gpt-4\n")

    code, _, errors = await stack.command("chat", cwd=tmp_path)
    assert (code, "needs OPENAI_API_KEY" in errors) == (2, True)

    code, _, errors = await stack.command("chat", cwd=tmp_path, LLM_MODEL="nonsense")
    assert (code, "LLM_MODEL='nonsense'" in errors) == (2, True)


@requirement("cli.words")
async def test_a_command_that_is_used_wrongly_says_how_it_is_used(stack: TestStack) -> None:
    """Exit code 2 and one line that helps. (ours)"""
    for arguments in (["nonsense"], ["chat", "--nonsense"], ["chat", "chat-1"]):
        code, _, errors = await stack.command(*arguments)
        assert code == 2
        assert "Traceback" not in errors
        assert errors


@requirement("cli.retries-shown")
async def test_what_is_tried_again_is_shown_while_the_user_waits(env: Environment) -> None:
    """The attempt and the reason, in the line that stands for the reply. (ours)"""
    script = Script(fails("overloaded", attempts=3), says("Here."))
    async with (
        env.agent(script, first_retry_after=timedelta(seconds=1)) as agent,
        Terminal.talking_to(env, agent) as terminal,
    ):
        terminal.say("hello")
        await terminal.shows(", attempt 2 of 6: overloaded.")
        await terminal.shows("Agent: Here.")
        assert "attempt" not in terminal.text


@requirement("cli.retries-shown")
async def test_a_server_that_does_not_answer_is_shown_and_waited_for(stack: TestStack) -> None:
    """The message is answered once it does; nothing is typed again. (ours)"""
    async with stack.client() as terminal:
        terminal.say("My name is Ada")
        await terminal.shows("Ada. I will remember")
        server = stack.part("temporal")
        server.suspend()
        terminal.say("What is my name?")
        await terminal.shows("Agent: … (Temporal does not answer: trying again, ")
        server.resume()
        await terminal.shows("Agent: Your name is Ada.")


@requirement("cli.retries-shown")
async def test_a_server_that_is_gone_is_shown_in_our_words_alone(env: Environment) -> None:
    """What Temporal's SDK logs of each retry is not on the screen. (ours)"""
    relay = Relay(env.address)
    await relay.open()
    async with (
        env.agent(None) as agent,
        Terminal.talking_to(env, agent, TEMPORAL_ADDRESS=relay.address) as terminal,
    ):
        terminal.say("My name is Ada")
        await terminal.shows("Ada. I will remember")
        await relay.close()
        terminal.say("What is my name?")
        # By then the SDK has tried each call more than five times, and from the fifth on it warns.
        await terminal.shows(re.compile(r"Temporal does not answer: trying again, ([89]|\d\d) s"))
        await relay.open()
        await terminal.shows("Agent: Your name is Ada.")
        terminal.say("quit")
        assert await terminal.ended() == 0
    await relay.close()
    assert b"WARN" not in terminal.written
    assert b"gRPC" not in terminal.written


async def test_lines_that_were_pasted_have_each_their_reply_below(env: Environment) -> None:
    """The screen reads as the dialogue that it was. (ours)"""
    async with env.agent(None) as agent, Terminal.talking_to(env, agent) as terminal:
        await terminal.shows("You:")
        terminal.type("Calculate 1 + 1\rCalculate 2 + 2\rCalculate 3 + 3\r")
        await terminal.shows("Agent: The result is 6.")

        dialogue = terminal.text[terminal.text.index("You: ") :].splitlines()
        assert [line for line in dialogue if line.strip() and line != "You:"] == [
            *("You: Calculate 1 + 1", "  · calculator with 1 + 1", "Agent: The result is 2."),
            *("You: Calculate 2 + 2", "  · calculator with 2 + 2", "Agent: The result is 4."),
            *("You: Calculate 3 + 3", "  · calculator with 3 + 3", "Agent: The result is 6."),
        ]


async def test_with_no_stack_nothing_is_started(stack: TestStack) -> None:
    """`--no-stack` uses what is there, and here nothing is. (ours)"""
    code, _, errors = await stack.run("client.py", "--no-stack", typed="hello\n", TEMPORAL_ADDRESS="127.0.0.1:9")

    assert code == 2
    assert "No Temporal answers at 127.0.0.1:9" in errors
    assert not stack.folder.state.exists()
    assert not stack.folder.database.exists()


async def test_the_retention_of_the_servers_namespaces_is_raised(stack: TestStack) -> None:
    """A closed chat is not gone after a day. (ours)"""
    async with stack.client() as terminal:
        await terminal.shows("it-worker is ready")  # so its namespace is there
        client = await connect(address=stack.state.temporal_address)
        for namespace in ("default", "finance-namespace", "it-namespace"):
            described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
            assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=365)
