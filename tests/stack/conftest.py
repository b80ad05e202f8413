"""The fixtures of the tests of whole stacks."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from filelock import AsyncFileLock

from tests.environment import shared_environment
from tests.stack.stacks import TestStack, a_stack

__all__ = ["shared_environment"]


@pytest.fixture(name="usual_ports")
async def _usual_ports(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[None]:
    """Have the ports that a stack takes by default for one test at a time, whatever process it runs in."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    async with AsyncFileLock(shared / "usual-ports.lock"):
        yield


@pytest.fixture(name="stack")
async def _stack(tmp_path: Path) -> AsyncGenerator[TestStack]:
    async with a_stack(tmp_path / "data") as stack:
        yield stack
