"""No poison: whatever a model, a tool, a server or a user sends, the turn ends in words and the chat goes on."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from agents.testing import assistant_message

from durable_loop.errors import TurnFailedError
from durable_loop.testing import Agent, Environment, McpTransport, TestedChat, over_http
from tests.e2e.hostile import NEXT, Endless, Garbage, OneByOne, Poisoner, called, garbage_server, rough_tools
from tests.e2e.mcp_http import NOWHERE
from tests.e2e.soundness import sound_runs
from tests.requirements import requirement

# Of a program, not for a reader.
UNREADABLE = ("Traceback", " object at 0x", "errors.pydantic.dev", "secret of the house", "TaskGroup", "<class")


@dataclass(frozen=True)
class Poison:
    """What the model answers, and words that the reply must hold, or the error where the turn `fails`."""

    name: str
    outputs: Sequence[Any]
    words: str
    fails: bool = False


FROM_THE_MODEL = (
    Poison("an unknown tool", [called("no_such_tool", "{}")], "no_such_tool"),
    Poison("arguments that are no JSON", [called("calculator", "}{ not JSON")], "arguments of calculator are wrong"),
    Poison("arguments that are no object", [called("calculator", "[1, 2]")], "arguments of calculator are wrong"),
    Poison("MCP arguments that are no JSON", [called("stock_price", "}{ not JSON")], "JSON"),
    Poison("MCP arguments that are no object", [called("stock_price", '"AAPL"')], "expected a JSON object"),
    Poison(
        "arguments of 1 MB",
        [called("calculator", '{"expression": "' + "1+" * 500_000 + '1"}')],
        "answer has 1,000,",
        fails=True,
    ),
    Poison("an empty reply", [assistant_message("")], "an empty answer", fails=True),
    Poison("nothing at all", [], "an empty answer", fails=True),
    Poison("a reply of 3 MB", [assistant_message("x" * 3_000_000)], "answer has 3,000,", fails=True),
    Poison(
        "500 calls at once",
        [called("calculator", '{"expression": "1"}', f"c{number}") for number in range(500)],
        "500 tools at once",
        fails=True,
    ),
    Poison("a tool of no name", [called("", "{}")], "Tool '' not found"),
    Poison(
        "one id for two calls",
        [called("calculator", '{"expression": "1+1"}'), called("calculator", '{"expression": "2+2"}')],
        "1+1 = 2 | 2+2 = 4",
    ),
)


@pytest.mark.parametrize("poison", FROM_THE_MODEL, ids=lambda poison: poison.name)
@requirement("durability.no-poison")
async def test_whatever_a_model_sends_the_turn_ends_in_words(env: Environment, poison: Poison) -> None:
    """A reply that says what failed, or a typed error that can be read. (ours)"""
    async with env.agent(Poisoner(*poison.outputs)) as agent:
        chat = agent.chat()
        assert poison.words in await (error_of(chat) if poison.fails else reply_of(chat))
        await is_well(env, chat)


@requirement("agents.max-turns")
async def test_a_model_that_calls_tools_without_end_is_stopped(env: Environment) -> None:
    """The turn fails with the number of its model calls; the next has as many again. (ours)"""
    async with env.agent(Endless(called("calculator", '{"expression": "1+1"}'))) as agent:
        chat = agent.chat(max_model_calls=3)
        for _ in range(2):
            assert "called 3 times without coming to an answer" in await error_of(chat)
        await is_well(env, chat)


class Unwell(Poisoner):
    """Raises what no worker expects, with a text of 3 MB."""

    def sends(self, results: Sequence[str]) -> list[Any]:
        """Raise."""
        raise LookupError("no " * 1_000_000 + f"{results}")


async def test_a_model_that_raises_at_length_is_cut_short(env: Environment) -> None:
    """A provider of one's own may raise anything. (ours)"""
    async with env.agent(Unwell(), model_attempts=2) as agent:
        chat = agent.chat()
        assert "The model could not answer: no no no" in await error_of(chat)
        await is_well(env, chat)


LEFT_OUT = "characters left out]"
FROM_TOOLS = (
    (Poison("a tool that raises", [called("explode", "{}")], "Error executing tool explode"), 0),
    (Poison("a tool that takes for ever", [called("sleep_for_ever", "{}")], "it took too long"), 0),
    (Poison("a result of 3 MB", [called("megabytes", '{"half": 6}')], "of 1,000,000 characters left out]"), 1),
    (
        Poison(
            "two results of 1.5 MB at once",
            [called("megabytes", '{"half": 3}', "one"), called("megabytes", '{"half": 3}', "two")],
            "of 500,000 characters left out]",
        ),
        2,
    ),
)


@pytest.fixture(name="rough", scope="module")
async def _rough(env: Environment) -> AsyncGenerator[str]:
    del env  # the servers end before it
    async with over_http(rough_tools()) as url:
        yield url


@asynccontextmanager
async def agent_with(
    env: Environment, url: str, poisoner: Poisoner, *, it_mcp_url: str = NOWHERE, **settings: Any
) -> AsyncGenerator[Agent]:
    """Run an agent whose finance server is at `url`."""
    servers = {"finance_mcp_url": url, "it_mcp_url": it_mcp_url}
    async with env.agent(poisoner, mcp=McpTransport.SETTINGS, tool_attempts=2, **servers, **settings) as agent:
        yield agent


@pytest.mark.parametrize(("poison", "cuts"), FROM_TOOLS, ids=[poison.name for poison, _ in FROM_TOOLS])
@requirement("durability.no-poison", "durability.cut-visibly")
async def test_whatever_a_tool_does_the_turn_ends_in_words(
    env: Environment, rough: str, poison: Poison, cuts: int
) -> None:
    """The model is told, and what is too large is cut where the model and the user can see it. (ours)"""
    async with agent_with(env, rough, Poisoner(*poison.outputs), tool_timeout=timedelta(seconds=3)) as agent:
        chat = agent.chat()
        words = await reply_of(chat)
        assert poison.words in words
        assert words.count(LEFT_OUT) == cuts
        assert str(await chat.transcript()).count(LEFT_OUT) >= cuts
        await is_well(env, chat)


@requirement("temporal.payloads")
async def test_large_results_one_after_the_other_fit_a_turn(env: Environment, rough: str) -> None:
    """Two results of 1.5 MB in one turn, and in the next again; each is cut. (ours)"""
    one_by_one = OneByOne(called("megabytes", '{"half": 3}', "one"), called("megabytes", '{"half": 3}', "two"))

    async with agent_with(env, rough, one_by_one) as agent:
        chat = agent.chat()
        for _ in range(2):
            assert (await reply_of(chat)).count(LEFT_OUT) == 2
        await is_well(env, chat)


def tool(name: str, **more: object) -> dict[str, object]:
    """Return a tool as a server lists it; the user is not asked before it is called."""
    return {"name": name, "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}, **more}


NO_USE = {
    "it hangs": Garbage.raw(None),
    "it hangs when its tools are asked for": Garbage.no_list(),
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
    "it lists a schema that is no object": Garbage.tools([tool("odd", inputSchema={"type": "string"})]),
    "it lists 5,000 tools": Garbage.tools([tool(f"tool_{number}", description="x" * 100) for number in range(5_000)]),
}
CALCULATE = called("calculator", '{"expression": "6*7"}')


@pytest.mark.parametrize("garbage", NO_USE.values(), ids=NO_USE)
@requirement("durability.no-poison")
async def test_a_server_of_no_use_is_left_out_of_the_turn(env: Environment, garbage: Garbage) -> None:
    """It was asked, the user is told, and the other tools stay. (ours)"""
    async with (
        garbage_server(garbage) as server,
        agent_with(env, server.url, Poisoner(CALCULATE), tool_timeout=timedelta(seconds=1)) as agent,
    ):
        chat = agent.chat()
        words = await reply_of(chat)
        assert "I was told: 6*7 = 42" in words
        assert "The finance tools are not available: " in words
        assert "The it tools are not available: " in words  # nobody listens there
        assert server.asked
        await is_well(env, chat)


ODD_LISTS = {
    "a name that is no name": ([tool("rm -rf /; é\n"), tool("fine")], ["fine"], r"'rm -rf /; é\n'"),
    "a name that no provider takes": ([tool("fine"), tool("a.b")], ["fine"], "'a.b'"),
    "a tool twice": ([tool("twin"), tool("twin")], ["twin"], "twin"),
    "a tool 1,000 times": ([tool("clone")] * 1_000, ["clone"], "clone"),
    "a tool of ours": ([tool("calculator"), tool("fine")], ["fine"], "calculator"),
}


@pytest.mark.parametrize(("tools", "usable", "left_out"), ODD_LISTS.values(), ids=ODD_LISTS)
async def test_of_an_odd_list_the_model_is_offered_what_can_be_used(
    env: Environment, tools: list[object], usable: list[str], left_out: str
) -> None:
    """A provider refuses a request with a name that is odd or there twice, whatever is asked; ours stay ours. (ours)"""
    poisoner = Poisoner(CALCULATE)

    async with garbage_server(Garbage.tools(tools)) as server, agent_with(env, server.url, poisoner) as agent:
        chat = agent.chat()
        words = await reply_of(chat)
        assert "I was told: 6*7 = 42" in words
        assert f"The tool {left_out} of finance is left out: " in words
        assert len(words) < 1_000
        assert poisoner.offered == [*usable, "calculator", "weather"]
        assert "tools/list" in server.asked
        assert "tools/call" not in server.asked
        await is_well(env, chat)


@requirement("mcp.one-owner")
async def test_of_two_servers_with_one_name_for_a_tool_the_first_has_it(env: Environment) -> None:
    """The other tools of both stay, and the user is told. (ours)"""
    poisoner = Poisoner(called("twin", "{}", "one"), called("other", "{}", "two"))

    async with (
        garbage_server(Garbage.tools([tool("mine"), tool("twin")], saying="finance was called")) as finance,
        garbage_server(Garbage.tools([tool("twin"), tool("other")], saying="IT was called")) as it,
        agent_with(env, finance.url, poisoner, it_mcp_url=it.url) as agent,
    ):
        chat = agent.chat()
        words = await reply_of(chat)
        assert words.index("finance was called") < words.index("IT was called")
        assert "The tool twin of it is left out: finance has one of this name." in words
        assert poisoner.offered == ["mine", "twin", "other", "calculator", "weather"]
        await is_well(env, chat)


async def test_long_lists_of_tools_fill_a_run_and_no_more(env: Environment) -> None:
    """Each model call has the tools in its request: a turn of many fails before its run is too large. (ours)"""
    many = Garbage.tools([tool(f"tool_{number}", description="x" * 3_700) for number in range(100)])

    async with (
        garbage_server(many) as server,
        agent_with(env, server.url, Endless(CALCULATE)) as agent,
    ):
        chat = agent.chat()
        assert "The turn has grown too long" in await error_of(chat)
        await is_well(env, chat)


@pytest.mark.parametrize("character", ["x", "😀", "\x01", '"'], ids=["letters", "four bytes", "control", "quotes"])
@requirement("durability.no-poison")
async def test_a_message_at_the_limit_is_taken(env: Environment, character: str) -> None:
    """32,000 characters, whatever they need on the wire. (ours)"""
    async with env.agent(Poisoner(assistant_message("Long."))) as agent:
        chat = agent.chat()
        assert await reply_of(chat, character * 32_000) == "Long."
        await is_well(env, chat)


async def reply_of(chat: TestedChat, text: str = "go") -> str:
    """Send a message; return the reply with its notes, which can be read."""
    reply = await chat.send(text)
    return readable("\n".join([reply.text, *reply.notes]))


async def error_of(chat: TestedChat) -> str:
    """Send a message whose turn fails; return the error, which can be read."""
    with pytest.raises(TurnFailedError) as failed:
        await chat.send("go")
    assert type(failed.value) is TurnFailedError
    return readable(str(failed.value))


def readable(words: str) -> str:
    """Return the words, which are for people."""
    assert words.strip()
    assert not [sign for sign in UNREADABLE if sign in words]
    return words


async def is_well(env: Environment, chat: TestedChat) -> None:
    """Check that the next turn works, and that every run is small and without a failed workflow task."""
    assert (await chat.send(NEXT)).text == "Fine."
    await sound_runs(env, chat)
