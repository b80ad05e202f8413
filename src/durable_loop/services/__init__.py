"""The tools behind MCP: finance, where each call stands alone, and IT, which keeps a session."""
