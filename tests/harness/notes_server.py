"""The MCP server of an agent that is not ours; over stdio where this module is run."""

from mcp.server.mcpserver import MCPServer

__all__ = ["notes_server"]


def notes_server() -> MCPServer:
    """Return a server that takes notes."""
    server = MCPServer("notes")

    @server.tool()
    def note(text: str) -> str:
        return f"noted {text}"

    return server


if __name__ == "__main__":
    notes_server().run("stdio")
