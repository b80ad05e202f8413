"""What pytest-xdist keeps together."""

import pytest

# Fixtures that are made once for a module, and take long.
ONCE_A_MODULE = frozenset({"kept", "keyed_worker", "long", "recorded", "rough"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share what takes long to start in one process (`--dist loadgroup`)."""
    for item in items:
        if isinstance(item, pytest.Function) and ONCE_A_MODULE & {*item.fixturenames}:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
