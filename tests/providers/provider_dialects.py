"""How the two providers speak: what a request asks, and how an answer is written. Pure functions of the request.

What the answers are is told in `provider_stubs`.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["DIALECTS", "Answer", "Dialect", "Json", "Protocol", "ToolCall"]

Json = dict[str, Any]
Protocol = Literal["openai", "anthropic"]

_CALL: Final = re.compile(r"^call (\S+) (\{.*\})$", re.MULTILINE)
_CALCULATE: Final = re.compile(r"^calculate (.+?)[.?]?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class ToolCall:
    """A tool call that the stub asks for; the id differs between any two of a conversation."""

    id: str
    name: str
    arguments: Json


@dataclass(frozen=True)
class Answer:
    """What the stub has to say: text or tool calls."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


def _answer(messages: Sequence[Json], tools: set[str], results: Sequence[str], user: str) -> Answer:
    if results:
        return Answer(text=f"The tool said: {'; '.join(results)}")
    if user == "Say nothing":
        return Answer()
    wanted = [(name, json.loads(arguments)) for name, arguments in _CALL.findall(user)]
    wanted += [("calculator", {"expression": expression}) for expression in _CALCULATE.findall(user)]
    calls = tuple(
        ToolCall(id=f"call_{len(messages)}_{number}", name=name, arguments=arguments)
        for number, (name, arguments) in enumerate(wanted)
        if name in tools
    )
    return Answer(calls=calls) if calls else Answer(text=f"You said: {user}")


def _text(content: str | list[Json] | None) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content or ""


def _read_openai(body: Json) -> Answer:
    messages: list[Json] = body["messages"]
    results: list[str] = []
    user = ""
    for message in messages:
        if message["role"] == "user":
            user, results = _text(message["content"]), []
        elif message["role"] == "tool":
            results.append(_text(message["content"]))
    return _answer(messages, {tool["function"]["name"] for tool in body.get("tools") or ()}, results, user)


def _read_anthropic(body: Json) -> Answer:
    messages: list[Json] = body["messages"]
    results: list[str] = []
    user = ""
    for message in messages:
        content: str | list[Json] = message["content"]
        parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts if message["role"] == "user" else ():
            if part["type"] == "tool_result":
                results.append(_text(part["content"]))
            else:
                user, results = str(part["text"]), []
    return _answer(messages, {tool["name"] for tool in body.get("tools") or ()}, results, user)


def _openai_complaint(body: Json) -> str | None:
    waiting: set[str] = set()
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            waiting.remove(message["tool_call_id"])
        elif waiting:
            return "'tool_calls' must be followed by tool messages responding to each 'tool_call_id'"
        else:
            waiting = {call["id"] for call in message.get("tool_calls") or ()}
    return "an assistant's 'tool_calls' have no answer" if waiting else None


def _anthropic_complaint(body: Json) -> str | None:
    waiting: set[str] = set()
    for position, message in enumerate(body["messages"]):
        if message["role"] != ("assistant" if position % 2 else "user"):
            return "roles must alternate between 'user' and 'assistant'"
        parts: list[Json] = message["content"] if isinstance(message["content"], list) else []
        if {part["tool_use_id"] for part in parts if part["type"] == "tool_result"} != waiting:
            return "each `tool_use` block must have a corresponding `tool_result` block in the next message"
        waiting = {part["id"] for part in parts if part["type"] == "tool_use"}
    return "the last `tool_use` has no `tool_result`" if waiting else None


def _openai_body(model: str, answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": answer.text or None}
    if answer.calls:
        message["tool_calls"] = [_openai_call(call) for call in answer.calls]
    finish = "tool_calls" if answer.calls else "stop"
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _openai_call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _openai_events(model: str, answer: Answer) -> Iterator[str]:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in re.findall(r"\S+\s*", answer.text)]
    deltas += [{"tool_calls": [{"index": n, **_openai_call(call)}]} for n, call in enumerate(answer.calls)]
    chunk: Json = {"id": "chatcmpl-stub", "object": "chat.completion.chunk", "created": 0, "model": model}
    for delta in deltas:
        yield f"data: {json.dumps(chunk | {'choices': [{'index': 0, 'delta': delta, 'finish_reason': None}]})}\n\n"
    end: Json = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if answer.calls else "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    yield f"data: {json.dumps(chunk | {'choices': [end]})}\n\n"
    yield f"data: {json.dumps(chunk | {'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


def _anthropic_blocks(answer: Answer) -> list[Json]:
    if answer.calls:
        return [{"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments} for c in answer.calls]
    return [{"type": "text", "text": answer.text}]


def _anthropic_body(model: str, answer: Answer) -> Json:
    return {
        "id": "msg_stub",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": _anthropic_blocks(answer),
        "stop_reason": "tool_use" if answer.calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _anthropic_events(model: str, answer: Answer) -> Iterator[str]:
    def event(kind: str, **data: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind} | data)}\n\n"

    yield event("message_start", message=_anthropic_body(model, answer) | {"content": [], "stop_reason": None})
    for index, block in enumerate(_anthropic_blocks(answer)):
        if block["type"] == "text":
            start: Json = {"type": "text", "text": ""}
            deltas: list[Json] = [{"type": "text_delta", "text": w} for w in re.findall(r"\S+\s*", block["text"])]
        else:
            start = block | {"input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        yield event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    stop = "tool_use" if answer.calls else "end_turn"
    yield event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage={"output_tokens": 1})
    yield event("message_stop")


@dataclass(frozen=True)
class Dialect:
    """A provider's side of the wire: where, whether a request is in order, and the answer whole or as events."""

    paths: tuple[str, ...]
    complaint: Callable[[Json], str | None]
    read: Callable[[Json], Answer]
    body: Callable[[str, Answer], Json]
    events: Callable[[str, Answer], Iterator[str]]


DIALECTS: Final[dict[Protocol, Dialect]] = {
    "openai": Dialect(
        paths=("/chat/completions", "/v1/chat/completions"),
        complaint=_openai_complaint,
        read=_read_openai,
        body=_openai_body,
        events=_openai_events,
    ),
    "anthropic": Dialect(
        paths=("/v1/messages",),
        complaint=_anthropic_complaint,
        read=_read_anthropic,
        body=_anthropic_body,
        events=_anthropic_events,
    ),
}
