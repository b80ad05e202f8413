"""Tool calls that can be told apart: some models give one id to several calls, or none at all.

The SDK keeps the calls of a run by their ids and leaves out the second with the same one, so what a
model sends is made unique before the SDK sees it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from agents import ModelResponse
from openai.types.responses import ResponseFunctionToolCall

__all__ = ["with_unique_call_ids"]

# Providers take 64 characters.
MAX_CHARS: Final = 56


def with_unique_call_ids(response: ModelResponse, said: Iterable[Mapping[str, Any]]) -> ModelResponse:
    """Return the response with an id for each tool call that neither `said` nor another call of it has.

    `said` is the input that the model answered. An id that is unique stays as it is.
    """
    used = {str(item["call_id"]) for item in said if item.get("call_id")}
    output: list[Any] = []
    for item in response.output:
        if isinstance(item, ResponseFunctionToolCall):
            call_id = _unused(item.call_id, used)
            used.add(call_id)
            output.append(item if call_id == item.call_id else item.model_copy(update={"call_id": call_id}))
        else:
            output.append(item)
    return replace(response, output=output)


def _unused(call_id: str, used: set[str]) -> str:
    if call_id and call_id not in used:
        return call_id
    number = 2
    while (candidate := f"{call_id[:MAX_CHARS] or 'call'}-{number}") in used:
        number += 1
    return candidate
