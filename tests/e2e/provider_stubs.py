"""Model providers on the loopback interface: OpenAI's chat completions and Anthropic's messages.

What a stub answers is a function of the request alone, so a retry, a new worker and a replay
get the same answer:

- a user message with lines like `call weather {"city": "Rome"}` gets a call of each of those
  tools that is offered (`Calculate 15 * 23` is one of `calculator`);
- tool results get the text `The tool said: …` with every result since the user's message;
- `Say nothing` gets an empty answer;
- anything else gets `You said: …`.

A conversation that the real provider would refuse (a tool call without its result) gets a 400.
Requests to any other path are recorded and get a 404.

Faults come first: each `Fault` takes the next `times` requests (None: all of them).

In a test:      async with openai_stub(Fault(status=429, times=1)) as stub: …  stub.environment("sk-test")
By hand:        python -m tests.e2e.provider_stubs openai --port 8123
"""

import argparse
import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

__all__ = ["Fault", "ProviderStub", "RecordedRequest", "anthropic_stub", "openai_stub"]

Json = dict[str, Any]
Protocol = Literal["openai", "anthropic"]

_CALL: Final = re.compile(r"^call (\S+) (\{.*\})$", re.MULTILINE)
_CALCULATE: Final = re.compile(r"^calculate (.+?)[.?]?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """A failing answer; `{key}` in the message becomes the key that the request came with.

    With `cut_after`, a streamed answer is right but ends, and its connection with it, after so many events.
    """

    status: int = 200
    message: str = "The stub was told to fail."
    kind: str = "stub_error"
    headers: tuple[tuple[str, str], ...] = ()
    times: int | None = None
    cut_after: int | None = None


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it came in."""

    path: str
    key: str
    body: Json


@dataclass
class ProviderStub:
    """A provider that is listening; `requests` grows as they come."""

    protocol: Protocol
    port: int
    faults: tuple[Fault, ...] = ()
    requests: list[RecordedRequest] = field(default_factory=list[RecordedRequest])

    @property
    def url(self) -> str:
        """The base URL, as the provider's usual variable takes it."""
        return f"http://127.0.0.1:{self.port}" + ("/v1" if self.protocol == "openai" else "")

    def environment(self, key: str) -> dict[str, str]:
        """Return the variables that send LiteLLM here with `key`."""
        name = self.protocol.upper()
        return {f"{name}_BASE_URL": self.url, f"{name}_API_BASE": self.url, f"{name}_API_KEY": key}

    def fault(self, number: int) -> Fault | None:
        """Return the fault that takes request `number` (from 0)."""
        for fault in self.faults:
            if fault.times is None or number < fault.times:
                return fault
            number -= fault.times
        return None


@dataclass(frozen=True)
class _ToolCall:
    id: str
    name: str
    arguments: Json


@dataclass(frozen=True)
class _Answer:
    text: str = ""
    calls: tuple[_ToolCall, ...] = ()


def _answer(messages: Sequence[Json], tools: set[str], results: Sequence[str], user: str) -> _Answer:
    if results:
        return _Answer(text=f"The tool said: {'; '.join(results)}")
    if user == "Say nothing":
        return _Answer()
    wanted = [(name, json.loads(arguments)) for name, arguments in _CALL.findall(user)]
    wanted += [("calculator", {"expression": expression}) for expression in _CALCULATE.findall(user)]
    calls = tuple(
        _ToolCall(id=f"call_{len(messages)}_{number}", name=name, arguments=arguments)
        for number, (name, arguments) in enumerate(wanted)
        if name in tools
    )
    return _Answer(calls=calls) if calls else _Answer(text=f"You said: {user}")


def _text(content: str | list[Json] | None) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content or ""


def _read_openai(body: Json) -> _Answer:
    messages: list[Json] = body["messages"]
    results: list[str] = []
    user = ""
    for message in messages:
        if message["role"] == "user":
            user, results = _text(message["content"]), []
        elif message["role"] == "tool":
            results.append(_text(message["content"]))
    return _answer(messages, {tool["function"]["name"] for tool in body.get("tools") or ()}, results, user)


def _read_anthropic(body: Json) -> _Answer:
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


def _openai_body(model: str, answer: _Answer) -> Json:
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


def _openai_call(call: _ToolCall) -> Json:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _openai_events(model: str, answer: _Answer) -> Iterator[str]:
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


def _anthropic_blocks(answer: _Answer) -> list[Json]:
    if answer.calls:
        return [{"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments} for c in answer.calls]
    return [{"type": "text", "text": answer.text}]


def _anthropic_body(model: str, answer: _Answer) -> Json:
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


def _anthropic_events(model: str, answer: _Answer) -> Iterator[str]:
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
class _Dialect:
    paths: tuple[str, ...]
    complaint: Callable[[Json], str | None]
    read: Callable[[Json], _Answer]
    body: Callable[[str, _Answer], Json]
    events: Callable[[str, _Answer], Iterator[str]]


_DIALECTS: Final[dict[Protocol, _Dialect]] = {
    "openai": _Dialect(
        paths=("/chat/completions", "/v1/chat/completions"),
        complaint=_openai_complaint,
        read=_read_openai,
        body=_openai_body,
        events=_openai_events,
    ),
    "anthropic": _Dialect(
        paths=("/v1/messages",),
        complaint=_anthropic_complaint,
        read=_read_anthropic,
        body=_anthropic_body,
        events=_anthropic_events,
    ),
}


def _failing(fault: Fault, protocol: Protocol, key: str) -> Response:
    error = {"type": fault.kind, "message": fault.message.replace("{key}", key)}
    body: Json = {"error": error | {"param": None, "code": fault.kind}}
    if protocol == "anthropic":
        body = {"type": "error", "error": error}
    return JSONResponse(body, status_code=fault.status, headers=dict(fault.headers))


def _app(stub: ProviderStub) -> Starlette:
    dialect = _DIALECTS[stub.protocol]

    async def answer(request: Request) -> Response:
        body: Json = await request.json()
        key = _key(request)
        fault = stub.fault(len(stub.requests))
        stub.requests.append(RecordedRequest(path=request.url.path, key=key, body=body))
        if fault is not None and fault.cut_after is None:
            return _failing(fault, stub.protocol, key)
        if complaint := dialect.complaint(body):
            return _failing(Fault(status=400, message=complaint, kind="invalid_request_error"), stub.protocol, key)
        said = dialect.read(body)
        if body.get("stream"):
            events = dialect.events(body["model"], said)
            cut = fault.cut_after if fault is not None else None
            return StreamingResponse(_until(events, cut), media_type="text/event-stream")
        return JSONResponse(dialect.body(body["model"], said))

    async def nothing_here(request: Request) -> Response:
        stub.requests.append(RecordedRequest(path=request.url.path, key=_key(request), body=await request.json()))
        return _failing(Fault(status=404, message="There is nothing here."), stub.protocol, "")

    routes = [Route(path, answer, methods=["POST"]) for path in dialect.paths]
    return Starlette(routes=[*routes, Route("/{path:path}", nothing_here, methods=["POST"])])


async def _until(events: Iterator[str], cut: int | None) -> AsyncGenerator[str]:
    for number, event in enumerate(events):
        if number == cut:
            raise ConnectionAbortedError
        yield event


def _key(request: Request) -> str:
    for header in ("x-api-key", "x-goog-api-key", "authorization"):
        if header in request.headers:
            return request.headers[header].removeprefix("Bearer ")
    return ""


def _server(stub: ProviderStub) -> uvicorn.Server:
    config = uvicorn.Config(_app(stub), log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    return uvicorn.Server(config)


@asynccontextmanager
async def _listening(protocol: Protocol, faults: tuple[Fault, ...]) -> AsyncGenerator[ProviderStub]:
    """Serve from a thread of its own: importing LiteLLM may hold up the test's loop for seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stub = ProviderStub(protocol=protocol, port=listener.getsockname()[1], faults=faults)
        server = _server(stub)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=f"{protocol}-stub")
        thread.start()
        try:
            yield stub
        finally:
            server.should_exit = True
            await asyncio.to_thread(thread.join)


def openai_stub(*faults: Fault) -> AbstractAsyncContextManager[ProviderStub]:
    """Serve `POST /v1/chat/completions` on a free port."""
    return _listening("openai", faults)


def anthropic_stub(*faults: Fault) -> AbstractAsyncContextManager[ProviderStub]:
    """Serve `POST /v1/messages` on a free port."""
    return _listening("anthropic", faults)


def main() -> None:
    """Serve one stub until it is told to stop; says its URL in one line of JSON on stdout."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("protocol", choices=tuple(_DIALECTS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--status", type=int, help="answer every request with this HTTP status")
    parser.add_argument("--times", type=int, help="… but only this many")
    arguments = parser.parse_args()
    faults = (Fault(status=arguments.status, times=arguments.times),) if arguments.status else ()
    with socket.create_server(("127.0.0.1", arguments.port)) as listener:
        stub = ProviderStub(protocol=arguments.protocol, port=listener.getsockname()[1], faults=faults)
        print(json.dumps({"url": stub.url}), flush=True)  # noqa: T201  # the caller reads it
        _server(stub).run(sockets=[listener])


if __name__ == "__main__":
    main()
