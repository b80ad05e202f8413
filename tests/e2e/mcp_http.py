"""An MCP server that is not there."""

from typing import Final

__all__ = ["NOWHERE"]

# Nothing listens there.
NOWHERE: Final = "http://127.0.0.1:9/mcp"
