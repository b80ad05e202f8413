"""Models and MCP servers that send what nobody should: for the tests of what a chat makes of it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from agents import ModelResponse, TResponseInputItem
from agents.testing import assistant_message
from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from openai.types.responses import ResponseFunctionToolCall
from pydantic import BaseModel

from durable_loop.boundary import as_application_error
from durable_loop.errors import ModelRefusedError
from tests.e2e.answering import AnsweringModel

__all__ = [
    "NEXT",
    "Endless",
    "Garbage",
    "GarbageServer",
    "OneByOne",
    "Poisoner",
    "Slow",
    "called",
    "garbage_server",
    "rough_tools",
]

# What is said to a chat to see whether it still works.
NEXT: Final = "Are you well?"


def _ends_of(text: str) -> str:
    return text if len(text) <= 2_000 else f"{text[:1_000]} … {text[-200:]}"


def called(tool: str, arguments: str, call_id: str = "call-1") -> ResponseFunctionToolCall:
    """Return a call of a tool with arguments that may be no JSON."""
    return ResponseFunctionToolCall(type="function_call", name=tool, arguments=arguments, call_id=call_id)


class Poisoner(AnsweringModel):
    """Answers a message with `outputs`, tool results with their text, and `NEXT` with "Fine."

    A function of its input, as a model is: a retry gets the same. `offered` are the tools of its last call.
    """

    def __init__(self, *outputs: Any) -> None:
        self._outputs = list(outputs)
        self.offered: list[str] = []

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        """Answer, where a provider would."""
        self.offered = [tool.name for tool in kwargs["tools"]]
        check_names(self.offered)
        return await super().get_response(system_instructions, input, *args, **kwargs)

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:  # noqa: ARG002 - the same for all
        """Answer."""
        asked = max(number for number, item in enumerate(items) if item.get("role") == "user")
        if items[asked]["content"] == NEXT:
            return [assistant_message("Fine.")]
        results = [str(item["output"]) for item in items[asked:] if item.get("type") == "function_call_output"]
        return self.sends(results)

    def sends(self, results: Sequence[str]) -> list[Any]:
        """Return what it sends once its calls since the message gave these results."""
        return [self.told(results)] if results else self._outputs

    def told(self, results: Sequence[str]) -> Any:
        """Return the message that says what the tools said."""
        return assistant_message("I was told: " + " | ".join(_ends_of(result) for result in results))


class OneByOne(Poisoner):
    """Sends one of its outputs after the other, each when it has the result of the one before."""

    def sends(self, results: Sequence[str]) -> list[Any]:
        """Return the next."""
        return [[*self._outputs, self.told(results)][len(results)]]


class Endless(Poisoner):
    """Sends its outputs again and again, whatever comes of them."""

    def sends(self, results: Sequence[str]) -> list[Any]:  # noqa: ARG002 - the same for all
        """Return them."""
        return self._outputs


def check_names(tools: Sequence[str]) -> None:
    """Refuse a request for the names of its tools, as the providers do."""
    odd = [name for name in tools if not re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) or tools.count(name) > 1]
    if odd:
        raise as_application_error(ModelRefusedError(f"The provider refused the request (400): tool names {odd}"))


class Slow(AnsweringModel):
    """Says its name and the user's last message again, once it is let; notes when a call is broken off."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.asked = asyncio.Event()
        self.let = asyncio.Event()
        self.broken_off = asyncio.Event()

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:  # noqa: ARG002 - the same for all
        """Wait, then say again what the user said last."""
        self.asked.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.broken_off.set()
            raise
        return [assistant_message(f"{self.name}{items[-1]['content']}")]


def rough_tools() -> MCPServer:
    """Return a server whose tools answer with as much as is asked for, raise, or take for ever."""
    server = MCPServer("rough")
    harmless = ToolAnnotations(read_only_hint=True)  # the user is not asked first

    @server.tool(annotations=harmless)
    def megabytes(half: int) -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
        """Answer with so many half megabytes."""
        return "€" * (half * 500_000 // 3)

    @server.tool(annotations=harmless)
    def characters(number: int) -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
        """Answer with so many characters."""
        return "x" * number

    @server.tool(annotations=harmless)
    def explode() -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
        """Raise."""
        raise RuntimeError("secret of the house")

    @server.tool(annotations=harmless)
    async def sleep_for_ever() -> str:  # pyright: ignore[reportUnusedFunction] - registered by the decorator
        """Never answer."""
        await asyncio.get_running_loop().create_future()
        return "never"

    return server


@dataclass(frozen=True)
class Garbage:
    """What a server answers to a request, as bytes on the wire; None: nothing, and the connection stays open."""

    answer: Callable[[Any], bytes | None]

    @classmethod
    def raw(cls, answer: bytes | None) -> "Garbage":
        """Answer with these bytes, whatever is asked."""
        return cls(lambda _: answer)

    @classmethod
    def http(cls, body: str, *, kind: str = "application/json") -> "Garbage":
        """Answer with this body."""
        return cls.raw(_http(body, kind))

    @classmethod
    def result(cls, result: object) -> "Garbage":
        """Answer every request with this result."""
        return cls(lambda request: _result(request, result))

    @classmethod
    def error(cls, message: str, data: object) -> "Garbage":
        """Answer every request with this error."""
        return cls(lambda request: _error(request, message, data))

    @classmethod
    def tools(cls, tools: Sequence[object], *, saying: str = "called") -> "Garbage":
        """Speak MCP well, list these tools, and answer their calls with a text."""
        return cls(lambda request: _lists(request, list(tools), saying))

    @classmethod
    def no_list(cls) -> "Garbage":
        """Speak MCP well, and never answer when the tools are asked for."""
        return cls(lambda request: None if request.method == "tools/list" else _lists(request, [], ""))


class _Request(BaseModel):
    id: int | str | None = None
    method: str = ""
    params: dict[str, Any] = {}


@dataclass(frozen=True)
class GarbageServer:
    """A server that answers garbage; `asked` grows with the methods of the requests."""

    url: str
    asked: list[str]


@asynccontextmanager
async def garbage_server(garbage: Garbage) -> AsyncGenerator[GarbageServer]:
    """Serve it on a free port of the loopback interface."""
    asked: list[str] = []
    open_ones: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                body = await reader.readexactly(length)
                request = _Request.model_validate(json.loads(body)) if body else _Request()
                asked.append(request.method)
                if (answer := garbage.answer(request)) is not None:
                    writer.write(answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            open_ones.discard(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield GarbageServer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp", asked)
    finally:
        server.close()
        for writer in list(open_ones):
            writer.close()
        await server.wait_closed()


def _http(body: str, kind: str = "application/json", status: str = "200 OK") -> bytes:
    content = body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def _result(request: _Request, result: object) -> bytes:
    if request.id is None:
        return _http("", status="202 Accepted")
    return _http(json.dumps({"jsonrpc": "2.0", "id": request.id, "result": result}))


def _lists(request: _Request, tools: list[object], saying: str) -> bytes:
    match request.method:
        case "initialize":
            version = request.params.get("protocolVersion", "2025-06-18")
            about = {"name": "hostile", "version": "1"}
            return _result(request, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about})
        case "tools/list":
            return _result(request, {"tools": tools})
        case "tools/call":
            return _result(request, {"content": [{"type": "text", "text": saying}]})
        case _ if request.id is None:
            return _result(request, None)
        case _:
            return _error(request, "Method not found", None)


def _error(request: _Request, message: str, data: object) -> bytes:
    error = {"code": -32601, "message": message, "data": data}
    return _http(json.dumps({"jsonrpc": "2.0", "id": request.id, "error": error}))
