"""The two ways into an MCP server: stdio for one client that started it, HTTP for many, behind a guarded door."""

import asyncio
import errno
import hmac
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from durable_loop.errors import SettingsError, SetupError

__all__ = ["HttpDoor", "http_app", "serve_http", "serve_stdio"]

_PATH: Final = "/mcp"
_LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
# How long calls in flight get to finish; a call that is cut off may be sent again with its key.
_GRACE_SECONDS: Final = 3
_BACKLOG: Final = 128
_ENDS_IN_PORT: Final = re.compile(r":\d+$")


@dataclass(frozen=True)
class HttpDoor:
    """Where an MCP server listens and who may come in; port 0 means any free one."""

    host: str
    port: int
    token: SecretStr | None = None
    allowed_hosts: Sequence[str] = ()


async def serve_stdio(server: MCPServer) -> None:
    """Serve the client at stdin and stdout until stdin is closed; nothing else is written to stdout."""
    await server.run_stdio_async()


async def serve_http(
    server: MCPServer, door: HttpDoor, *, on_ready: Callable[[str], None], until: Callable[[], Awaitable[object]]
) -> None:
    """Serve over HTTP until what `until` waits for happens; `on_ready` gets the URL as soon as it answers.

    Raises:
        SettingsError: the address is no address, or is open to other machines without a token.
        SetupError: the port is taken, or may not be used.
    """
    listener = await _listen(door)
    address, port = listener.getsockname()[:2]
    url = f"http://{_bracketed(address)}:{port}{_PATH}"
    app = http_app(server, token=door.token, allowed_hosts=(door.host, address, *door.allowed_hosts))
    http = _HttpServer(app, on_started=lambda: on_ready(url))
    stopping = asyncio.ensure_future(until())
    stopping.add_done_callback(lambda _: http.stop())
    try:
        await http.serve(sockets=[listener])
    finally:
        stopping.cancel()
        listener.close()


def http_app(server: MCPServer, *, token: SecretStr | None, allowed_hosts: Sequence[str] = ()) -> ASGIApp:
    """Return `server` as an ASGI application with a guarded door.

    It answers 401 without the token, 421 to a foreign Host and 403 to a foreign Origin. Loopback
    names are always allowed; `allowed_hosts` come on top, each with its own port, or with any.
    """
    hosts = [pattern for host in dict.fromkeys((*_LOOPBACK_HOSTS, *allowed_hosts)) for pattern in _patterns(host)]
    app = server.streamable_http_app(
        streamable_http_path=_PATH,
        stateless_http=True,
        json_response=True,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=hosts,
            allowed_origins=[f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts],
        ),
    )
    return _BearerToken(app, token.get_secret_value()) if token else app


async def _listen(door: HttpDoor) -> socket.socket:
    try:
        family, _, _, _, address = (
            await asyncio.get_running_loop().getaddrinfo(door.host.strip("[]"), door.port, type=socket.SOCK_STREAM)
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"{door.host} is not an address of this machine: {error.strerror}.") from error
    if not door.token and not ipaddress.ip_address(address[0]).is_loopback:
        raise SettingsError(
            f"Listening on {door.host} opens the server to other machines, and no token is set: "
            "set DURABLE_LOOP_MCP_TOKEN, or listen on 127.0.0.1."
        )
    try:
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(f"Port {door.port} is taken by something else: choose another with --port.") from error
        raise SetupError(f"Cannot listen on {door.host} port {door.port}: {error.strerror}.") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _patterns(host: str) -> tuple[str, ...]:
    """Return the forms of a Host header that name `host`: as it is if it has a port, else bare and with any."""
    if host.count(":") > 1:
        host = _bracketed(host)
    return (host,) if _ENDS_IN_PORT.search(host) else (host, f"{host}:*")


class _BearerToken:
    """An ASGI application that lets in only who knows the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._knows_token(Headers(scope=scope)):
            refusal = PlainTextResponse(
                "This server asks for a bearer token.",
                status_code=HTTPStatus.UNAUTHORIZED,
                headers={"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), self._token)


class _HttpServer(uvicorn.Server):
    """Uvicorn without its ways of its own: it logs where we log, leaves signals alone and tells when it answers."""

    def __init__(self, app: ASGIApp, *, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._on_started = on_started

    def stop(self) -> None:
        """Finish the calls in flight, then return from `serve`."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and say so."""
        await super().startup(sockets)
        self._on_started()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the process: uvicorn would raise them again after a graceful stop."""
        yield
