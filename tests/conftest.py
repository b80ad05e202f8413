"""How many examples Hypothesis tries, and what pytest-xdist keeps together."""

import pytest
from hypothesis import settings

# A third at the desk, all of them in tox (`--hypothesis-profile=thorough`): as many as it takes to find each of the
# broken chats in `properties/test_state_machine.py`.
settings.register_profile("thorough", max_examples=300)
settings.register_profile("quick", max_examples=100)
settings.load_profile("quick")

# Fixtures that are made once for a module, and take long.
ONCE_A_MODULE = frozenset({"kept", "keyed_worker", "long", "recorded", "rough"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share what takes long to start in one process (`--dist loadgroup`)."""
    for item in items:
        if isinstance(item, pytest.Function) and ONCE_A_MODULE & {*item.fixturenames}:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
