"""The offline model: a `Model` of the Agents SDK made of rules. No key, no network, no clock, no chance, no state."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from agents import (
    AgentOutputSchemaBase,
    Handoff,
    Model,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    Tool,
    TResponseInputItem,
    Usage,
)
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from openai.types.responses.response_prompt_param import ResponsePromptParam

from durable_loop import names
from durable_loop.chat.compaction import SUMMARY_INSTRUCTIONS
from durable_loop.models.offline.deciding import ToolCall, decide
from durable_loop.models.offline.streaming import events_of
from durable_loop.models.offline.summarising import summarised
from durable_loop.models.offline.transcript import normalised, turns_of

__all__ = ["OfflineModel"]

_ID_LENGTH: Final = 24


class OfflineModel(Model):
    """Answers by rules from the request alone: the same request gives the same response, byte for byte.

    It picks among the function tools that it is offered, by their names, descriptions and schemas.
    It returns text and tool calls only: handoffs, hosted tools and output schemas are not used.
    """

    async def get_response(  # noqa: PLR0913 - the SDK's signature
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        """Return the next tool calls of the turn, or its reply."""
        del output_schema, handoffs, tracing, previous_response_id, conversation_id, prompt
        return _respond(system_instructions, input, model_settings, tools)

    async def stream_response(  # noqa: PLR0913 - the SDK's signature
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Yield the same response as `get_response`, its text word by word."""
        del output_schema, handoffs, tracing, previous_response_id, conversation_id, prompt
        response = _respond(system_instructions, input, model_settings, tools)
        for event in events_of(response, model=names.MODEL_OFFLINE):
            yield event


def _respond(
    instructions: str | None,
    model_input: str | list[TResponseInputItem],
    model_settings: ModelSettings,
    tools: list[Tool],
) -> ModelResponse:
    items = normalised(model_input)
    decision = (
        summarised("\n".join(turn.message for turn in turns_of(items)))
        if instructions == SUMMARY_INSTRUCTIONS
        else decide(
            turns_of(items),
            [] if model_settings.tool_choice == "none" else tools,
            parallel=model_settings.parallel_tool_calls is not False,
        )
    )
    # Ids come from the input. It grows with every call, so no two calls of a transcript share one.
    key = hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()[:_ID_LENGTH]
    output = (
        [_message(decision, key)]
        if isinstance(decision, str)
        else [_call(call, f"{key}_{number}") for number, call in enumerate(decision)]
    )
    # The tokens that nobody bills: none.
    return ModelResponse(output=list(output), usage=Usage(requests=1), response_id=f"resp_{key}")


def _message(text: str, key: str) -> ResponseOutputMessage:
    return ResponseOutputMessage(
        id=f"msg_{key}",
        type="message",
        role="assistant",
        status="completed",
        content=[ResponseOutputText(type="output_text", text=text, annotations=[], logprobs=[])],
    )


def _call(call: ToolCall, key: str) -> ResponseFunctionToolCall:
    arguments: Any = json.dumps(call.arguments, ensure_ascii=False)
    return ResponseFunctionToolCall(
        id=f"fc_{key}", call_id=f"call_{key}", type="function_call", name=call.name, arguments=arguments
    )
