"""No poison: whatever a model, a tool, a server or a user sends, the turn ends in words and the chat goes on."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from agents.testing import assistant_message

from durable_loop.errors import TurnFailedError
from durable_loop.testing import Agent, Environment, McpTransport, TestedChat
from tests.e2e.hostile import NEXT, Garbage, Poisoner, called, garbage_server, rough_tools
from tests.e2e.mcp_http import NOWHERE, over_http
from tests.e2e.provider_stubs import Fault, openai_stub
from tests.e2e.test_provider_chat import chat_with

FAILED = "EVENT_TYPE_WORKFLOW_TASK_FAILED"
PAYLOAD_BYTES = 2 * 1024 * 1024
# Of a program, not for a reader.
UNREADABLE = ("Traceback", " object at 0x", "errors.pydantic.dev", "secret of the house", "ExceptionGroup", "<class")


@dataclass(frozen=True)
class Poison:
    """What the model answers, and words that the reply or the error must hold."""

    name: str
    outputs: Sequence[Any]
    words: str


FROM_THE_MODEL = (
    Poison("an unknown tool", [called("no_such_tool", "{}")], "no_such_tool"),
    Poison("arguments that are no JSON", [called("calculator", "}{ not JSON")], "arguments of calculator are wrong"),
    Poison("arguments that are no object", [called("calculator", "[1, 2]")], "arguments of calculator are wrong"),
    Poison("MCP arguments that are no JSON", [called("stock_price", "}{ not JSON")], "JSON"),
    Poison("MCP arguments that are no object", [called("stock_price", '"AAPL"')], "I was told"),
    Poison("arguments of 1 MB", [called("calculator", '{"expression": "' + "1+" * 500_000 + '1"}')], "bytes"),
    Poison("an empty reply", [assistant_message("")], "empty"),
    Poison("nothing at all", [], "cannot be used"),
    Poison("a reply of 3 MB", [assistant_message("x" * 3_000_000)], "3,000,"),
    Poison(
        "500 calls at once",
        [called("calculator", '{"expression": "1"}', f"c{number}") for number in range(500)],
        "500 tools at once",
    ),
    Poison("a tool of no name", [called("", "{}")], ""),
    Poison(
        "one id for two calls",
        [called("calculator", '{"expression": "1+1"}'), called("calculator", '{"expression": "2+2"}')],
        "",
    ),
)


@pytest.mark.parametrize("poison", FROM_THE_MODEL, ids=lambda poison: poison.name)
async def test_whatever_a_model_sends_the_turn_ends_in_words(env: Environment, poison: Poison) -> None:
    """A reply that says what failed, or a typed error that can be read. (ours)"""
    async with env.agent(Poisoner(*poison.outputs)) as agent:
        chat = agent.chat()
        assert poison.words in await in_words(chat, "go")
        await is_well(chat)


FROM_TOOLS = (
    Poison("a tool that raises", [called("explode", "{}")], "explode"),
    Poison("a tool that takes for ever", [called("sleep_for_ever", "{}")], "too long"),
    Poison("a result of 3 MB", [called("megabytes", '{"half": 6}')], "€€€"),
    Poison(
        "two results of 1.5 MB at once",
        [called("megabytes", '{"half": 3}', "one"), called("megabytes", '{"half": 3}', "two")],
        "€€€",
    ),
)


@pytest.fixture(name="rough", scope="module")
async def _rough(env: Environment) -> AsyncGenerator[str]:
    del env  # the servers end before it
    async with over_http(rough_tools()) as url:
        yield url


@asynccontextmanager
async def agent_with(env: Environment, url: str, poisoner: Poisoner, **settings: Any) -> AsyncGenerator[Agent]:
    """Run an agent whose one MCP server is at `url`."""
    async with env.agent(
        poisoner, mcp=McpTransport.SETTINGS, finance_mcp_url=url, it_mcp_url=NOWHERE, tool_attempts=2, **settings
    ) as agent:
        yield agent


@pytest.mark.parametrize("poison", FROM_TOOLS, ids=lambda poison: poison.name)
async def test_whatever_a_tool_does_the_turn_ends_in_words(env: Environment, rough: str, poison: Poison) -> None:
    """The model is told, and what is too large is cut where the user can see it. (ours)"""
    async with agent_with(env, rough, Poisoner(*poison.outputs), tool_timeout=timedelta(seconds=3)) as agent:
        chat = agent.chat()
        assert poison.words in await in_words(chat, "go")
        await is_well(chat)


async def test_large_results_one_after_the_other_fit_a_turn(env: Environment, rough: str) -> None:
    """Two results of 1.5 MB in two turns; what was cut says so in the transcript. (ours)"""
    async with agent_with(env, rough, Poisoner(called("megabytes", '{"half": 3}'))) as agent:
        chat = agent.chat()
        for _ in range(2):
            await in_words(chat, "go")
        assert "characters left out]" in str(await chat.transcript())
        await is_well(chat)


SERVERS = {
    "it hangs": Garbage.raw(None),
    "it hangs up": Garbage.raw(b""),
    "it speaks no HTTP": Garbage.raw(b"220 mail.example.org ESMTP\r\n"),
    "it answers HTML": Garbage.http("<html>Welcome to nginx!</html>", kind="text/html"),
    "it answers no JSON": Garbage.http("}{"),
    "it answers JSON that is no JSON-RPC": Garbage.http('{"hello": "world"}'),
    "it answers a list": Garbage.http("[1, 2, 3]"),
    "it answers the wrong shape": Garbage.result({"tools": "none", "protocolVersion": 7}),
    "it answers errors of 3 MB": Garbage.error("no " * 1_000_000, {"why": "x" * 3_000_000}),
    "it lists numbers": Garbage.tools([1, 2]),
    "it lists a tool without a schema": Garbage.tools([{"name": "bare"}]),
    "it lists a schema that is no object": Garbage.tools([{"name": "odd", "inputSchema": {"type": "string"}}]),
    "it lists a name that is no name": Garbage.tools([{"name": "rm -rf /; é\n", "inputSchema": {"type": "object"}}]),
    "it lists a tool twice": Garbage.tools([{"name": "twin", "inputSchema": {"type": "object"}}] * 2),
    "it lists a tool of ours": Garbage.tools([{"name": "calculator", "inputSchema": {"type": "object"}}]),
    "it lists 5,000 tools": Garbage.tools(
        [
            {"name": f"tool_{number}", "description": "x" * 100, "inputSchema": {"type": "object"}}
            for number in range(5_000)
        ]
    ),
}


@pytest.mark.parametrize("garbage", SERVERS.values(), ids=SERVERS)
async def test_whatever_an_mcp_server_answers_the_turn_ends_in_words(env: Environment, garbage: Garbage) -> None:
    """The turn goes without its tools, or with what can be used of them; the other tools stay. (ours)"""
    calculate = Poisoner(called("calculator", '{"expression": "6*7"}'))

    async with (
        garbage_server(garbage) as url,
        agent_with(env, url, calculate, tool_timeout=timedelta(seconds=1)) as agent,
    ):
        chat = agent.chat()
        await in_words(chat, "6*7?")
        await is_well(chat)


@pytest.mark.parametrize("character", ["x", "😀", "\x01", '"'], ids=["letters", "four bytes", "control", "quotes"])
async def test_a_message_at_the_limit_is_taken(env: Environment, character: str) -> None:
    """32,000 characters, whatever they need on the wire. (ours)"""
    async with env.agent(Poisoner(assistant_message("Long."))) as agent:
        chat = agent.chat()
        assert await in_words(chat, character * 32_000) == "Long."
        await is_well(chat)


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_what_a_provider_refuses_for_good_is_tried_once(env: Environment, status: int) -> None:
    """The sentence says what the provider said; the next turn works. (ours)"""
    refusal = Fault(status=status, message="no, said the provider", times=1)

    async with openai_stub(refusal) as stub, chat_with(env, stub, "gpt-4") as chat:
        assert str(status) in await in_words(chat, "hello") or status == 401
        assert len(stub.requests) == 1
        assert (await chat.send("again")).text == "You said: again"
        assert (await chat.history()).count(FAILED) == 0


async def in_words(chat: TestedChat, text: str) -> str:
    """Send a message; return the reply with its notes, or the error. Either can be read."""
    try:
        reply = await chat.send(text)
    except TurnFailedError as error:
        words = str(error)
    else:
        words = "\n".join([reply.text, *reply.notes])
    assert words.strip()
    assert not [sign for sign in UNREADABLE if sign in words]
    return words


async def is_well(chat: TestedChat) -> None:
    """Check that the next turn works, that no workflow task failed, and that every event is small enough."""
    assert (await chat.send(NEXT)).text == "Fine."
    history = (await chat.handle.fetch_history()).events
    assert max(event.ByteSize() for event in history) < PAYLOAD_BYTES
    assert (await chat.history()).count(FAILED) == 0
