"""The fixtures of the tests of whole stacks."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.environment import shared_environment
from tests.stack.stacks import TestStack, a_stack

__all__ = ["shared_environment"]


@pytest.fixture(name="stack")
async def _stack(tmp_path: Path) -> AsyncGenerator[TestStack]:
    async with a_stack(tmp_path / "data") as stack:
        yield stack
