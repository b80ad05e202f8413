"""A finished response as the events of a stream, word by word where nobody wants it otherwise."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from agents import ModelResponse
from agents.items import TResponseStreamEvent
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseInProgressEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
    ResponseUsage,
)
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

__all__ = ["events_of", "words_of"]

_WORDS = re.compile(r"\s*\S+|\s+$")


def words_of(text: str) -> Sequence[str]:
    """Return the words of a text, each with the space before it."""
    return _WORDS.findall(text)


def events_of(
    response: ModelResponse, *, model: str, pieces_of: Callable[[str], Sequence[str]] = words_of
) -> Iterator[TResponseStreamEvent]:
    """Yield the events of a response that holds messages and function calls; the last one is the whole response.

    A text comes in the pieces that `pieces_of` makes of it.
    """
    numbers = count()
    whole = _response(response, model=model)
    started = whole.model_copy(update={"output": [], "status": "in_progress", "usage": None})
    yield ResponseCreatedEvent(type="response.created", response=started, sequence_number=next(numbers))
    yield ResponseInProgressEvent(type="response.in_progress", response=started, sequence_number=next(numbers))
    for index, item in enumerate(response.output):
        if isinstance(item, ResponseOutputMessage):
            yield from _message(item, index, numbers, pieces_of)
        elif isinstance(item, ResponseFunctionToolCall):
            yield from _call(item, index, numbers)
    yield ResponseCompletedEvent(type="response.completed", response=whole, sequence_number=next(numbers))


def _message(
    item: ResponseOutputMessage, index: int, numbers: Iterator[int], pieces_of: Callable[[str], Sequence[str]]
) -> Iterator[TResponseStreamEvent]:
    empty = item.model_copy(update={"content": [], "status": "in_progress"})
    yield ResponseOutputItemAddedEvent(
        type="response.output_item.added", item=empty, output_index=index, sequence_number=next(numbers)
    )
    for place, part in enumerate(item.content):
        if isinstance(part, ResponseOutputText):
            yield from _text(part, item.id, index, place, numbers, pieces_of(part.text))
    yield ResponseOutputItemDoneEvent(
        type="response.output_item.done", item=item, output_index=index, sequence_number=next(numbers)
    )


def _text(
    part: ResponseOutputText, item_id: str, index: int, place: int, numbers: Iterator[int], pieces: Sequence[str]
) -> Iterator[TResponseStreamEvent]:
    yield ResponseContentPartAddedEvent(
        type="response.content_part.added",
        item_id=item_id,
        output_index=index,
        content_index=place,
        part=part.model_copy(update={"text": ""}),
        sequence_number=next(numbers),
    )
    for piece in pieces:
        yield ResponseTextDeltaEvent(
            type="response.output_text.delta",
            item_id=item_id,
            output_index=index,
            content_index=place,
            delta=piece,
            logprobs=[],
            sequence_number=next(numbers),
        )
    yield ResponseTextDoneEvent(
        type="response.output_text.done",
        item_id=item_id,
        output_index=index,
        content_index=place,
        text=part.text,
        logprobs=[],
        sequence_number=next(numbers),
    )
    yield ResponseContentPartDoneEvent(
        type="response.content_part.done",
        item_id=item_id,
        output_index=index,
        content_index=place,
        part=part,
        sequence_number=next(numbers),
    )


def _call(item: ResponseFunctionToolCall, index: int, numbers: Iterator[int]) -> Iterator[TResponseStreamEvent]:
    item_id = item.id or item.call_id
    empty = item.model_copy(update={"arguments": "", "status": "in_progress"})
    yield ResponseOutputItemAddedEvent(
        type="response.output_item.added", item=empty, output_index=index, sequence_number=next(numbers)
    )
    yield ResponseFunctionCallArgumentsDeltaEvent(
        type="response.function_call_arguments.delta",
        item_id=item_id,
        output_index=index,
        delta=item.arguments,
        sequence_number=next(numbers),
    )
    yield ResponseFunctionCallArgumentsDoneEvent(
        type="response.function_call_arguments.done",
        item_id=item_id,
        output_index=index,
        arguments=item.arguments,
        sequence_number=next(numbers),
    )
    yield ResponseOutputItemDoneEvent(
        type="response.output_item.done", item=item, output_index=index, sequence_number=next(numbers)
    )


def _response(response: ModelResponse, *, model: str) -> Response:
    usage = response.usage
    return Response(
        id=response.response_id or "",
        created_at=0,
        model=model,
        object="response",
        output=response.output,
        tool_choice="auto",
        tools=[],
        parallel_tool_calls=True,
        status="completed",
        usage=ResponseUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            total_tokens=usage.total_tokens,
            input_tokens_details=InputTokensDetails(cache_write_tokens=0, cached_tokens=0),
            output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
        ),
    )
