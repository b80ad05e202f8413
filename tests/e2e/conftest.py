"""The fixtures of the end-to-end tests: nouns, each a ready thing."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from durable_loop.models.quiet import set_quiet_environment
from durable_loop.testing import Environment
from tests.e2e.provider_workers import PROVIDERS, ProviderWorker, provider_worker
from tests.e2e.stacks import TestStack, a_stack

set_quiet_environment(os.environ)


# What a module starts once.
ONCE_A_MODULE = frozenset({"kept", "keyed_worker", "long", "recorded", "rough"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests together that share what takes long to start."""
    for item in items:
        if isinstance(item, pytest.Function) and ONCE_A_MODULE & {*item.fixturenames}:
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(name="env", scope="session")
async def _env() -> AsyncGenerator[Environment]:
    async with Environment.start() as env:
        yield env


@pytest.fixture(name="keyed_worker", scope="module", params=PROVIDERS, ids=["openai", "anthropic"])
async def _keyed_worker(
    env: Environment, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncGenerator[ProviderWorker]:
    async with provider_worker(env, request.param, tmp_path_factory.mktemp("provider")) as worker:
        yield worker


@pytest.fixture(name="stack")
async def _stack(tmp_path: Path) -> AsyncGenerator[TestStack]:
    async with a_stack(tmp_path / "data") as stack:
        yield stack
