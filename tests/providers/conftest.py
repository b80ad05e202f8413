"""The fixtures of the tests with providers of models."""

from collections.abc import AsyncGenerator

import pytest

from durable_loop.testing import Environment
from tests.environment import shared_environment
from tests.providers.provider_workers import PROVIDERS, ProviderWorker, provider_worker

__all__ = ["shared_environment"]


@pytest.fixture(name="keyed_worker", scope="module", params=PROVIDERS, ids=["openai", "anthropic"])
async def _keyed_worker(
    env: Environment, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncGenerator[ProviderWorker]:
    async with provider_worker(env, request.param, tmp_path_factory.mktemp("provider")) as worker:
        yield worker
