"""The pytest plugin (entry point `pytest11`). It is imported by every pytest run: what takes long comes in later."""

from importlib.util import find_spec

import pytest

__all__ = ["pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures where they can work."""
    if find_spec("pytest_asyncio") is not None:
        from durable_loop.testing import fixtures  # noqa: PLC0415 - it imports pytest-asyncio

        config.pluginmanager.register(fixtures, "durable-loop-fixtures")
