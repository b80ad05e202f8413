"""What holds for all tests: what they talk to, and what pytest-xdist keeps together."""

import os

import pytest

from durable_loop.models.quiet import set_quiet_environment

# A test that runs an agent by itself tells OpenAI nothing of it, whoever's key is set.
set_quiet_environment(os.environ)

# Fixtures that are made once for a module, and take long.
ONCE_A_MODULE = frozenset({"kept", "keyed_worker", "long", "recorded", "rough"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share what takes long to start in one process (`--dist loadgroup`)."""
    for item in items:
        if isinstance(item, pytest.Function) and ONCE_A_MODULE & {*item.fixturenames}:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
