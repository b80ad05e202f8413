"""What MCP clients want to be told of a server that they start: in which file, under which key, in which words.

As their documentation has it (read in November 2026):
  claude-desktop  https://modelcontextprotocol.io/docs/develop/connect-local-servers; on Linux as on other Electron apps
  cursor          https://cursor.com/docs/mcp: `~/.cursor/mcp.json` is for all projects
  vscode          https://code.visualstudio.com/docs/agents/reference/mcp-configuration: of the user's profile
  goose           https://github.com/aaif-goose/goose, documentation/docs/guides/config-files.md
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from durable_loop import names
from durable_loop.stack.part import python_module

__all__ = ["FORMATS", "Format", "McpClient", "Server", "file_of", "our_servers"]

# A tool call of ours may wait for a workflow: in seconds.
GOOSE_TIMEOUT: Final = 60
# What says where Temporal is and is no secret.
_TELLS_OF_TEMPORAL: Final = (
    "TEMPORAL_ADDRESS",
    "TEMPORAL_PROFILE",
    "TEMPORAL_CONFIG_FILE",
    "TEMPORAL_TLS",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
)


class McpClient(StrEnum):
    """A client that starts MCP servers."""

    CLAUDE_DESKTOP = "claude-desktop"
    CURSOR = "cursor"
    GOOSE = "goose"
    VSCODE = "vscode"


@dataclass(frozen=True)
class Server:
    """A server over stdio: its name, and how it is started."""

    name: str
    command: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Format:
    """How a client writes its servers: `entry` is how one is started."""

    key: str
    entry: Callable[[Server], dict[str, Any]]
    # What an entry of ours begins with; whoever sets it otherwise keeps that.
    defaults: Mapping[str, Any]
    yaml: bool = False


def _json_entry(server: Server) -> dict[str, Any]:
    return {"command": server.command, "args": list(server.arguments), "env": dict(server.environment)}


def _goose_entry(server: Server) -> dict[str, Any]:
    return {
        "type": "stdio",
        "name": server.name,
        "cmd": server.command,
        "args": list(server.arguments),
        "envs": dict(server.environment),
    }


_TYPED: Final = Format("servers", lambda server: {"type": "stdio", **_json_entry(server)}, {})
FORMATS: Final[Mapping[McpClient, Format]] = {
    McpClient.CLAUDE_DESKTOP: Format("mcpServers", _json_entry, {}),
    McpClient.CURSOR: Format("mcpServers", _TYPED.entry, {}),
    McpClient.GOOSE: Format("extensions", _goose_entry, {"enabled": True, "timeout": GOOSE_TIMEOUT}, yaml=True),
    McpClient.VSCODE: _TYPED,
}


def our_servers(client: McpClient, environ: Mapping[str, str], *, address: str | None) -> list[Server]:
    """Return the finance and the IT server as this machine starts them, for a Temporal at `address`.

    The IT server remembers for each client on its own. No key comes into the file of a client.
    """
    environment = {name: environ[name] for name in _TELLS_OF_TEMPORAL if environ.get(name)}
    if address is not None:
        environment["TEMPORAL_ADDRESS"] = address
    finance = python_module("mcp_servers.finance_mcp_server", "--transport", "stdio")
    it = python_module("mcp_servers.it_mcp_server", "--transport", "stdio", "--session", client.value)
    return [
        Server(f"durable-loop-{name}", command, tuple(arguments), environment)
        for name, (command, *arguments) in ((names.MCP_FINANCE, finance), (names.MCP_IT, it))
    ]


def file_of(client: McpClient, platform: str, environ: Mapping[str, str], home: Path) -> Path:
    """Return where a client has its configuration on a platform, as `sys.platform` names it."""
    match client:
        case McpClient.CLAUDE_DESKTOP:
            return _applications(platform, environ, home) / "Claude" / "claude_desktop_config.json"
        case McpClient.VSCODE:
            return _applications(platform, environ, home) / "Code" / "User" / "mcp.json"
        case McpClient.CURSOR:
            return home / ".cursor" / "mcp.json"
        case McpClient.GOOSE if platform == "win32":
            return _applications(platform, environ, home) / "Block" / "goose" / "config" / "config.yaml"
        case McpClient.GOOSE:
            return _xdg(environ, home) / "goose" / "config.yaml"


def _applications(platform: str, environ: Mapping[str, str], home: Path) -> Path:
    match platform:
        case "win32":
            return Path(environ["APPDATA"]) if environ.get("APPDATA") else home / "AppData" / "Roaming"
        case "darwin":
            return home / "Library" / "Application Support"
        case _:
            return _xdg(environ, home)


def _xdg(environ: Mapping[str, str], home: Path) -> Path:
    return Path(environ["XDG_CONFIG_HOME"]) if environ.get("XDG_CONFIG_HOME") else home / ".config"
