"""The offline model as a model of the Agents SDK: the seed's examples, its input and output, the same every time."""

import json
from typing import Any

import pytest
from agents import Agent, FunctionTool, ModelSettings, RunConfig, Runner, function_tool
from agents.models.interface import ModelTracing
from openai.types.responses import ResponseCompletedEvent, ResponseTextDeltaEvent
from pydantic import TypeAdapter

from durable_loop.models.offline import OfflineModel
from tests.requirements import requirement
from tests.unit.models.helpers import SEED_TOOLS, Call, Talk, calls_of, output, respond, text_of, user

SEED: list[tuple[str, list[Call], str, str]] = [
    ("Calculate 15 * 23", [("calculator", {"expression": "15 * 23"})], "15 * 23 = 345", "The result is 345."),
    (
        "What's the weather in New York?",
        [("weather", {"city": "New York"})],
        "The weather in New York: 21 °C, clear sky (demo data).",
        "The weather in New York: 21 °C, clear sky (demo data).",
    ),
    (
        "What is the stock price of AAPL?",
        [("stock_price", {"ticker": "AAPL"})],
        "The current stock price of AAPL is $185.50",
        "The current stock price of AAPL is $185.50",
    ),
    (
        "Calculate the ROI for $10000 invested at 5% for 10 years",
        [("calculate_roi", {"principal": 10000, "rate": 5, "years": 10})],
        "The ROI for $10,000 invested at 5% annually over 10 years is $16,288.95",
        "The ROI for $10,000 invested at 5% annually over 10 years is $16,288.95",
    ),
    (
        "Set the JIRA project to DEMO-123",
        [("set_jira_project", {"project": "DEMO-123"})],
        "✓ JIRA project set to: DEMO-123",
        "✓ JIRA project set to: DEMO-123",
    ),
    ("Get JIRA metrics", [("get_jira_metrics", {})], '{"open": 3}', "open: 3"),
    (
        "Track my IP address",
        [("track_ip", {})],
        "✓ IP address tracked successfully",
        "✓ IP address tracked successfully",
    ),
    (
        "Show me the IP history",
        [("get_ip_history", {})],
        "IP Address History:\n  1. 172.16.0.1 (tracked at 2025-01-29T10:30:00)",
        "IP Address History:\n  1. 172.16.0.1 (tracked at 2025-01-29T10:30:00)",
    ),
]


@pytest.mark.parametrize(("message", "calls", "result", "reply"), SEED, ids=[row[0] for row in SEED])
@requirement("models.offline")
async def test_every_example_of_the_seed_calls_its_tool_and_passes_on_the_result(
    message: str, calls: list[Call], result: str, reply: str
) -> None:
    """The seed's eight requests, word for word, each with its tool, arguments and reply. (seed, ours)"""
    assert calls_of(await respond([user(message)])) == calls
    assert await Talk().say(message, result) == reply


async def test_the_same_request_gives_the_same_response_byte_for_byte() -> None:
    """A retry, a replay or another worker gets what the first one got, ids included. (ours)"""
    items = [user("Calculate 15 * 23 and what's the weather in New York?")]

    first, second = await respond(items), await respond(items)

    assert _dumped(first) == _dumped(second)


async def test_call_ids_are_unique_within_a_transcript() -> None:
    """The same request made again later in a chat is another call. (spec)"""
    talk = Talk()
    for _ in range(3):
        await talk.say("Calculate 15 * 23 and 4 + 5", "345", "9")

    ids = [item["call_id"] for item in talk.items if item.get("type") == "function_call"]

    assert len(ids) == len(set(ids)) == 6


async def test_the_same_words_are_understood_in_every_shape_of_input() -> None:
    """A plain string, a list of parts, a typed message and lazy pydantic iterators are one and the same. (spec)"""
    text = "Calculate 15 * 23"
    parts = [{"type": "input_text", "text": text}]
    lazy: Any = TypeAdapter(dict[str, Any]).validate_python({"role": "user", "content": _lazy(parts)})
    shapes: list[Any] = [
        text,
        [{"role": "user", "content": text}],
        [{"type": "message", "role": "user", "content": text}],
        [{"role": "user", "content": parts}],
        [lazy],
        [{"role": "developer", "content": "Track my IP address."}, {"role": "user", "content": text}],
        [{"role": "user", "content": text}, {"role": "system", "content": "Track my IP address."}],
    ]

    for shape in shapes:
        assert calls_of(await respond(shape)) == [("calculator", {"expression": "15 * 23"})]


def _lazy(parts: list[dict[str, str]]) -> Any:
    """Make the iterator that pydantic leaves in place of an `Iterable` field, as the SDK's input types have it."""
    from collections.abc import Iterable  # noqa: PLC0415 - read by pydantic here

    return TypeAdapter(Iterable[dict[str, str]]).validate_python(parts)


@pytest.mark.parametrize(
    "tool_output",
    [
        "The price is 5 dollars",
        {"type": "input_text", "text": "The price is 5 dollars"},
        [{"type": "input_text", "text": "The price is 5 dollars"}],
        [{"type": "text", "text": "The price is"}, {"type": "text", "text": "5 dollars"}],
        '{"type": "text", "text": "The price is 5 dollars", "annotations": null}',
    ],
)
async def test_a_tool_output_is_read_in_every_shape(tool_output: object) -> None:
    """Strings, parts and MCP's text content all come out as their text. (spec)"""
    reply = await Talk().say("price of AAPL", tool_output)

    assert reply.split() == ["The", "price", "is", "5", "dollars"]


async def test_nothing_said_gives_a_question_back() -> None:
    """No items, an empty message and mere punctuation are not worth a tool. (ours)"""
    for items in ([], [user("")], [user("   ")], [user("?!")], [{"role": "system", "content": "Be kind."}]):
        response = await respond(items)
        assert calls_of(response) == []
        assert text_of(response).startswith("What can I do for you?")


async def test_without_tools_it_says_so() -> None:
    """With nothing on offer nothing is called, and the user is told. (ours)"""
    response = await respond("Calculate 15 * 23", tools=[])

    assert calls_of(response) == []
    assert "I have no tools here" in text_of(response)


async def test_the_model_settings_are_kept() -> None:
    """`tool_choice="none"` offers no tool; without parallel calls they come one by one. (spec)"""
    message = [user("Calculate 15 * 23 and what's the weather in Rome?")]

    none = await respond(message, settings=ModelSettings(tool_choice="none"))
    single = await respond(message, settings=ModelSettings(parallel_tool_calls=False))

    assert calls_of(none) == []
    assert calls_of(single) == [("calculator", {"expression": "15 * 23"})]


async def test_a_stream_delivers_the_text_word_by_word_and_ends_with_the_whole_response() -> None:
    """Streaming changes how a reply arrives, not what it is. (spec)"""
    events = [event async for event in _stream("Hello there!")]

    said = "".join(event.delta for event in events if isinstance(event, ResponseTextDeltaEvent))
    last = events[-1]
    assert said == text_of(await respond("Hello there!"))
    assert isinstance(last, ResponseCompletedEvent)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert last.response.output == (await respond("Hello there!")).output


def _stream(text: str) -> Any:
    return OfflineModel().stream_response(
        system_instructions=None,
        input=text,
        model_settings=ModelSettings(),
        tools=list(SEED_TOOLS),
        output_schema=None,
        handoffs=[],
        tracing=ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )


@function_tool
def calculator(expression: str) -> str:
    """Evaluate an arithmetic expression."""
    assert expression == "15 * 23"
    return "345"


@function_tool
def weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"It is sunny in {city}."


def _agent(*tools: FunctionTool) -> Agent[None]:
    return Agent(name="helper", instructions="Be brief.", model=OfflineModel(), tools=list(tools))


async def test_the_runner_of_the_agents_sdk_runs_it() -> None:
    """Outside Temporal, `Runner.run` with function tools and two requests comes to one reply. (ours)"""
    result = await Runner.run(
        _agent(calculator, weather),
        "Calculate 15 * 23 and what's the weather in New York?",
        run_config=RunConfig(tracing_disabled=True),
    )

    assert result.final_output == "The result of calculator for 15 * 23 is 345.\nIt is sunny in New York."


async def test_the_runner_streams_it() -> None:
    """`Runner.run_streamed` goes through the tool call to the reply. (ours)"""
    result = Runner.run_streamed(_agent(weather), "weather in Rome", run_config=RunConfig(tracing_disabled=True))

    words = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
    ]

    assert words == ["It", " is", " sunny", " in", " Rome."]
    assert result.final_output == "It is sunny in Rome."


async def test_a_call_that_never_came_back_is_said_to_be_unfinished() -> None:
    """A turn whose call has no output still ends. (ours)"""
    called = await respond([user("Get JIRA metrics")])
    reply = await respond([user("Get JIRA metrics"), *called.to_input_items()])

    assert text_of(reply) == "The call of get jira metrics did not finish."


async def test_an_output_of_no_known_call_is_passed_over() -> None:
    """Input that does not fit together is no reason to fail. (ours)"""
    response = await respond([output("nobody", "345"), user("hi"), output("nobody", "345")])

    assert text_of(response).startswith("Hello!")


def _dumped(response: Any) -> str:
    return json.dumps(
        [item.model_dump() for item in response.output] + [response.response_id, repr(response.usage)], sort_keys=True
    )
