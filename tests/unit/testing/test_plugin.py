"""The pytest plugin comes into every run of pytest where the package is installed."""

import subprocess
import sys


def test_a_run_that_needs_nothing_of_it_imports_nothing_heavy() -> None:
    """Neither Temporal nor agents nor pydantic, with its fixtures. (ours)"""
    program = """
import sys
import durable_loop.testing.plugin, durable_loop.testing.async_fixtures
print(*sorted({"agents", "litellm", "mcp", "pydantic", "temporalio"} & sys.modules.keys()))
"""
    imported = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - our own

    assert imported.stdout.strip() == ""
