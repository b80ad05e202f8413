"""The environment that the tests of a folder share: a `conftest.py` that names its fixture has it."""

import os
from collections.abc import AsyncGenerator

import pytest

from durable_loop.models.quiet import set_quiet_environment
from durable_loop.testing import Environment

__all__ = ["shared_environment"]

set_quiet_environment(os.environ)


@pytest.fixture(name="env", scope="session")
async def shared_environment() -> AsyncGenerator[Environment]:
    """Give the tests a dev server, and what chats need beside it."""
    async with Environment.start() as env:
        yield env
