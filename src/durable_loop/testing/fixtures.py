"""The fixtures: nouns, each a ready thing. They come with the plugin where pytest-asyncio is installed."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, cast

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from durable_loop.testing.crash_matrix import Cells, CrashMatrix
    from durable_loop.testing.environment import Environment

__all__ = ["crash_cells", "durable_env"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def durable_env() -> AsyncGenerator["Environment"]:
    """Give the tests a dev server and what runs on it; ended after the last test."""
    from durable_loop.testing.environment import Environment  # noqa: PLC0415 - seconds, for the tests that need it

    async with Environment.start() as env:
        yield env


@pytest_asyncio.fixture(scope="class", loop_scope="session")
async def crash_cells(request: pytest.FixtureRequest, durable_env: "Environment") -> AsyncGenerator["Cells"]:
    """Give the tests of a `CrashMatrix` its workers."""
    from durable_loop.testing.crash_matrix import running_cells  # noqa: PLC0415 - as above

    matrix = cast("type[CrashMatrix]", request.cls)  # pyright: ignore[reportUnknownMemberType]
    async with running_cells(durable_env, matrix()) as cells:
        yield cells
