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
By hand:        python -m tests.providers.provider_stubs openai --port 8123
"""

import argparse
import asyncio
import json
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.providers.provider_dialects import DIALECTS, Json, Protocol

__all__ = ["Fault", "ProviderStub", "RecordedRequest", "anthropic_stub", "openai_stub"]


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

    def start_over(self, *faults: Fault) -> None:
        """Forget the requests so far; the next ones meet these faults."""
        self.requests.clear()
        self.faults = faults

    def fault(self, number: int) -> Fault | None:
        """Return the fault that takes request `number` (from 0)."""
        for fault in self.faults:
            if fault.times is None or number < fault.times:
                return fault
            number -= fault.times
        return None


def _failing(fault: Fault, protocol: Protocol, key: str) -> Response:
    error = {"type": fault.kind, "message": fault.message.replace("{key}", key)}
    body: Json = {"error": error | {"param": None, "code": fault.kind}}
    if protocol == "anthropic":
        body = {"type": "error", "error": error}
    return JSONResponse(body, status_code=fault.status, headers=dict(fault.headers))


def _app(stub: ProviderStub) -> Starlette:
    dialect = DIALECTS[stub.protocol]

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
    parser.add_argument("protocol", choices=tuple(DIALECTS))
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
