"""Who may come in over HTTP. The application is called in process: no socket is opened."""

import asyncio
from collections.abc import Sequence

import pytest
from mcp.server.mcpserver import MCPServer
from pydantic import SecretStr
from starlette.testclient import TestClient

from durable_loop.errors import SettingsError
from durable_loop.services.transport import HttpDoor, http_app, serve_http
from tests.requirements import requirement

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"accept": "application/json, text/event-stream"}


def answer(headers: dict[str, str], *, token: str | None = None, allowed_hosts: Sequence[str] = ()) -> int:
    app = http_app(MCPServer("door"), token=SecretStr(token) if token else None, allowed_hosts=allowed_hosts)
    encoded = {name.encode(): value.encode() for name, value in (ACCEPT | headers).items()}
    with TestClient(app, base_url="http://127.0.0.1:8001") as client:
        return client.post("/mcp", json=INITIALIZE, headers=encoded).status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8001", "localhost", "localhost:9", "[::1]", "[::1]:8001"])
@requirement("mcp.rebinding")
def test_every_loopback_name_comes_in_bare_and_with_a_port(host: str) -> None:
    """The SDK's own list has only the forms with a port (spec)."""
    assert answer({"host": host}) == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example", "localhostess:8001"])
@requirement("mcp.rebinding")
def test_a_foreign_host_is_misdirected(host: str) -> None:
    """A page that rebinds its own name to 127.0.0.1 still sends that name (spec)."""
    assert answer({"host": host}) == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1", 200),
        ("http://evil.example", 403),
        ("https://localhost.evil.example", 403),
        ("null", 403),
    ],
)
@requirement("mcp.origin")
def test_a_foreign_origin_is_forbidden(origin: str, status: int) -> None:
    """A browser tells where a page comes from; a client that is no browser sends nothing (spec)."""
    assert answer({"origin": origin}) == status


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ("mcp.example.com", "mcp.example.com", 200),
        ("mcp.example.com", "mcp.example.com:8443", 200),
        ("mcp.example.com:8443", "mcp.example.com:8443", 200),
        ("mcp.example.com:8443", "mcp.example.com", 421),
        ("2001:db8::1", "[2001:db8::1]:8001", 200),
        ("[2001:db8::1]", "[2001:db8::1]", 200),
    ],
)
def test_an_allowed_host_comes_in_with_its_port_or_any(allowed: str, host: str, status: int) -> None:
    """DURABLE_LOOP_MCP_ALLOWED_HOSTS adds to the loopback names (spec)."""
    assert answer({"host": host}, allowed_hosts=[allowed]) == status
    assert answer({"host": "localhost"}, allowed_hosts=[allowed]) == 200


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer open sesame", 200),
        ("bearer open sesame", 200),
        ("Bearer open sesam", 401),
        ("Bearer open sesame!", 401),
        ("Bearer öffne dich", 401),
        ("Basic open sesame", 401),
        ("Bearer", 401),
        ("", 401),
    ],
)
@requirement("mcp.token")
def test_a_set_token_must_be_shown(authorization: str, status: int) -> None:
    """Nobody comes in without it, from this machine or another (spec)."""
    assert answer({"authorization": authorization}, token="open sesame") == status


def test_a_token_may_have_any_letters() -> None:
    """Header and setting are compared as the bytes that they are (ours)."""
    assert answer({"authorization": "Bearer öffne dich"}, token="öffne dich") == 200


def test_the_refusal_names_the_scheme() -> None:
    """A client learns from it what to send (ours)."""
    app = http_app(MCPServer("door"), token=SecretStr("open sesame"))

    with TestClient(app, base_url="http://127.0.0.1:8001") as client:
        response = client.post("/mcp", json=INITIALIZE, headers=ACCEPT)

    assert response.headers["www-authenticate"] == "Bearer"


@requirement("mcp.token")
def test_the_token_does_not_open_a_foreign_host_or_origin() -> None:
    """One check does not replace the other (spec)."""
    token = {"authorization": "Bearer open sesame"}

    assert answer(token | {"host": "evil.example"}, token="open sesame") == 421
    assert answer(token | {"origin": "http://evil.example"}, token="open sesame") == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - refused is the point
@requirement("mcp.doors")
async def test_an_open_door_without_a_token_is_refused_before_it_is_bound(host: str) -> None:
    """Other machines could call every tool (spec)."""
    with pytest.raises(SettingsError, match="DURABLE_LOOP_MCP_TOKEN"):
        await serve_http(
            MCPServer("door"), HttpDoor(host=host, port=0), on_ready=pytest.fail, until=asyncio.Event().wait
        )
