"""The fixtures of the end-to-end tests: nouns, each a ready thing."""

import os
from collections.abc import AsyncGenerator

import pytest

from durable_loop.models.quiet import set_quiet_environment
from durable_loop.testing import Environment

set_quiet_environment(os.environ)


@pytest.fixture(name="env", scope="session")
async def _env() -> AsyncGenerator[Environment]:
    async with Environment.start() as env:
        yield env
