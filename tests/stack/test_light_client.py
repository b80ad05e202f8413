"""The terminal starts at once because of what it does not import."""

from tests.requirements import requirement
from tests.stack.stacks import TestStack

PROGRAM = """
import sys
import durable_loop.cli.app, durable_loop.cli.chat, durable_loop.cli.stack

print(*sorted(sys.modules))
"""


@requirement("cli.light")
async def test_the_client_process_imports_neither_agents_nor_a_model_vendor(stack: TestStack) -> None:
    """Importing the Agents SDK takes seconds, litellm ten. (ours)"""
    code, output, errors = await stack.run("-c", PROGRAM)

    assert (code, errors) == (0, "")
    imported = set(output.split())
    assert "durable_loop.cli.chat" in imported
    assert imported & {"agents", "litellm", "openai", "mcp"} == set()
