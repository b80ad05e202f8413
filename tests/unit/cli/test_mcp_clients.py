"""Where MCP clients have their configuration, and what stands in it."""

from pathlib import Path, PurePosixPath

import pytest

from durable_loop.cli.mcp_clients import FORMATS, McpClient, file_of, our_servers
from durable_loop.stack.part import python_module
from tests.requirements import requirement

HOME = Path("/home/ada")
WINDOWS = {"APPDATA": "/c/Users/ada/AppData/Roaming"}


@pytest.mark.parametrize(
    ("client", "platform", "environ", "place"),
    [
        ("claude-desktop", "linux", {}, "/home/ada/.config/Claude/claude_desktop_config.json"),
        ("claude-desktop", "linux", {"XDG_CONFIG_HOME": "/x"}, "/x/Claude/claude_desktop_config.json"),
        ("claude-desktop", "darwin", {}, "/home/ada/Library/Application Support/Claude/claude_desktop_config.json"),
        ("claude-desktop", "win32", WINDOWS, "/c/Users/ada/AppData/Roaming/Claude/claude_desktop_config.json"),
        ("claude-desktop", "win32", {}, "/home/ada/AppData/Roaming/Claude/claude_desktop_config.json"),
        ("cursor", "linux", {"XDG_CONFIG_HOME": "/x"}, "/home/ada/.cursor/mcp.json"),
        ("cursor", "darwin", {}, "/home/ada/.cursor/mcp.json"),
        ("cursor", "win32", WINDOWS, "/home/ada/.cursor/mcp.json"),
        ("goose", "linux", {}, "/home/ada/.config/goose/config.yaml"),
        ("goose", "darwin", {}, "/home/ada/.config/goose/config.yaml"),
        ("goose", "win32", WINDOWS, "/c/Users/ada/AppData/Roaming/Block/goose/config/config.yaml"),
        ("vscode", "linux", {}, "/home/ada/.config/Code/User/mcp.json"),
        ("vscode", "darwin", {}, "/home/ada/Library/Application Support/Code/User/mcp.json"),
        ("vscode", "win32", WINDOWS, "/c/Users/ada/AppData/Roaming/Code/User/mcp.json"),
    ],
)
@requirement("cli.mcp-config")
def test_each_client_has_its_file_in_its_place(client: str, platform: str, environ: dict[str, str], place: str) -> None:
    """As its documentation says. (ours)"""
    assert file_of(McpClient(client), platform, environ, HOME) == Path(PurePosixPath(place))


@requirement("cli.mcp-config")
def test_no_key_comes_into_a_file() -> None:
    """What tells where Temporal is does; each client has a session of its own. (ours)"""
    environ = {
        "TEMPORAL_ADDRESS": "example.com:7233",
        "TEMPORAL_API_KEY": "secret",
        "TEMPORAL_TLS_CLIENT_KEY_DATA": "secret",
        "TEMPORAL_TLS": "true",
        "DURABLE_LOOP_MCP_TOKEN": "secret",
    }
    finance, it = our_servers(McpClient.GOOSE, environ, address="127.0.0.1:7233")

    assert finance.environment == it.environment == {"TEMPORAL_ADDRESS": "127.0.0.1:7233", "TEMPORAL_TLS": "true"}
    assert (it.command, *it.arguments) == python_module(
        "mcp_servers.it_mcp_server", "--transport", "stdio", "--session", "goose"
    )
    assert our_servers(McpClient.GOOSE, {}, address=None)[0].environment == {}
    assert FORMATS.keys() == set(McpClient)
