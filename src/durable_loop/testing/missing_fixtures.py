"""What stands for `async_fixtures` where pytest-asyncio is not installed: each says so."""

import pytest

__all__ = ["chat", "crash_cells", "durable_env", "running_agent"]


@pytest.fixture
def durable_env(request: pytest.FixtureRequest) -> None:
    """Fail the test, and say what it needs."""
    pytest.fail(
        f"The fixture {request.fixturename} needs pytest-asyncio, which is not installed: "
        "pip install 'durable-loop[testing]'",
        pytrace=False,
    )


chat = crash_cells = running_agent = durable_env
