"""Tools to offer and a conversation to have with the offline model, without a server."""

import json
from collections.abc import Sequence
from typing import Any

from agents import FunctionTool, ModelResponse, ModelSettings, RunContextWrapper, Tool
from agents.models.interface import ModelTracing
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from durable_loop.models.offline import OfflineModel

Call = tuple[str, dict[str, Any]]
Item = dict[str, Any]


def tool(name: str, description: str, properties: dict[str, Any] | None = None, **schema: Any) -> FunctionTool:
    """Make a tool that nobody runs; every property is required unless `required` says otherwise."""
    properties = properties or {}
    return FunctionTool(
        name=name,
        description=description,
        params_json_schema={
            "type": "object",
            "properties": properties,
            "required": list(properties),
            **schema,
        },
        on_invoke_tool=_nobody_runs_it,
        strict_json_schema=False,
    )


async def _nobody_runs_it(_context: RunContextWrapper[Any], _arguments: str) -> str:
    raise NotImplementedError


CALCULATOR = tool(
    "calculator",
    "Evaluate an arithmetic expression exactly. Use it for every calculation, however small.",
    {
        "expression": {
            "type": "string",
            "description": "The expression, in usual notation: + - * / // % **, parentheses, and abs, round, sqrt, pi.",
            "examples": ["15 * 23", "(2 + 3) ** 2", "sqrt(2) / 2"],
        }
    },
)
WEATHER = tool(
    "weather",
    "Get the current weather (temperature, conditions) in a city.",
    {
        "city": {
            "type": "string",
            "description": "The city, with its country where the name is not unique.",
            "minLength": 1,
            "examples": ["New York", "Paris, France"],
        }
    },
)
STOCK_PRICE = tool(
    "stock_price",
    "Get the current price of a stock.",
    {"ticker": {"type": "string", "description": "The ticker symbol of the stock, such as AAPL or MSFT."}},
)
CALCULATE_ROI = tool(
    "calculate_roi",
    "Calculate the return on an investment (ROI) with interest compounded annually.",
    {
        "principal": {"type": "number", "description": "The amount invested, in dollars."},
        "rate": {"type": "number", "description": "The annual interest rate in percent: 5 means 5%."},
        "years": {"type": "number", "description": "How many years the money stays invested."},
    },
)
SET_JIRA_PROJECT = tool(
    "set_jira_project",
    "Set the current JIRA project of this session.",
    {"project": {"type": "string", "description": "The JIRA project key, such as DEMO-123."}},
)
GET_JIRA_METRICS = tool("get_jira_metrics", "Get the metrics of the current JIRA project.")
TRACK_IP = tool("track_ip", "Track the user's current IP address: adds it to the IP address history.")
GET_IP_HISTORY = tool("get_ip_history", "Get the history of the tracked IP addresses, oldest first.")

SEED_TOOLS: tuple[FunctionTool, ...] = (
    CALCULATOR,
    WEATHER,
    STOCK_PRICE,
    CALCULATE_ROI,
    SET_JIRA_PROJECT,
    GET_JIRA_METRICS,
    TRACK_IP,
    GET_IP_HISTORY,
)

BOOK_ROOM = tool(
    "book_room",
    "Book a meeting room.",
    {
        "room": {"type": "string", "description": "The name of the room."},
        "hours": {"type": "integer", "description": "For how many hours."},
    },
)
TRANSLATE = tool(
    "translate",
    "Translate a text into another language.",
    {
        "text": {"type": "string", "description": "The text to translate."},
        "language": {"type": "string", "enum": ["French", "German", "Spanish"]},
    },
)


def user(text: str) -> Item:
    """Make the item of a user message."""
    return {"role": "user", "content": text}


def output(call_id: str, text: object) -> Item:
    """Make the item of a tool's output."""
    return {"type": "function_call_output", "call_id": call_id, "output": text}


async def respond(
    items: str | Sequence[Any], tools: Sequence[Tool] = SEED_TOOLS, settings: ModelSettings | None = None
) -> ModelResponse:
    """Call the model once."""
    return await OfflineModel().get_response(
        system_instructions="You are a helpful assistant.",
        input=items if isinstance(items, str) else list(items),
        model_settings=settings or ModelSettings(),
        tools=list(tools),
        output_schema=None,
        handoffs=[],
        tracing=ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )


def calls_of(response: ModelResponse) -> list[Call]:
    """Return the tool calls of a response, in order."""
    return [
        (item.name, json.loads(item.arguments))
        for item in response.output
        if isinstance(item, ResponseFunctionToolCall)
    ]


def text_of(response: ModelResponse) -> str:
    """Return what a response says."""
    return "".join(
        part.text
        for item in response.output
        if isinstance(item, ResponseOutputMessage)
        for part in item.content
        if isinstance(part, ResponseOutputText)
    )


class Talk:
    """A conversation that keeps its transcript as the Agents SDK does."""

    def __init__(self, tools: Sequence[Tool] = SEED_TOOLS) -> None:
        self.tools = tools
        self.items: list[Any] = []

    async def say(self, text: str, *outputs: object) -> str:
        """Send a message, answer the model's tool calls with `outputs` in order, return what it says in the end."""
        self.items.append(user(text))
        waiting = list(outputs)
        response = await self._respond()
        while calls := [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]:
            self.items += [output(call.call_id, waiting.pop(0)) for call in calls]
            response = await self._respond()
        assert not waiting, f"outputs that no call asked for: {waiting}"
        return text_of(response)

    async def _respond(self) -> ModelResponse:
        response = await respond(self.items, self.tools)
        self.items += response.to_input_items()
        return response
