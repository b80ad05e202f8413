"""Each part by hand, as the seed starts it."""

import os
from pathlib import Path

import pytest

from durable_loop import names
from durable_loop.testing import Environment
from durable_loop.testing.processes import running_module
from tests.requirements import requirement
from tests.stack.stacks import TestStack

WORKERS = {
    "workers.orchestrator_worker": f"orchestrator worker on {names.QUEUE_ORCHESTRATOR} in {names.NAMESPACE_CHAT}",
    "workers.finance_worker": f"finance worker on {names.QUEUE_FINANCE} in {names.NAMESPACE_FINANCE}",
    "workers.it_worker": f"IT worker on {names.QUEUE_IT} in {names.NAMESPACE_IT}",
}


@pytest.mark.parametrize("module", WORKERS)
@requirement("setup.by-hand")
async def test_a_worker_says_when_temporal_knows_it_and_ends_when_told(
    env: Environment, tmp_path: Path, module: str
) -> None:
    """`python -m workers.…`: ready means that it gets work; SIGTERM is a normal end. (seed)"""
    address = {**os.environ, "TEMPORAL_ADDRESS": env.address}

    async with running_module(module, environment=address, log=tmp_path / "log") as worker:
        assert worker.announcement == WORKERS[module]
        assert await worker.stop() == 0


@pytest.mark.parametrize("module", WORKERS)
async def test_a_worker_without_a_temporal_says_so_and_ends(stack: TestStack, module: str) -> None:
    """Exit code 2 and one message, never a silent local server. (ours)"""
    code, output, errors = await stack.run("-m", module, TEMPORAL_ADDRESS="127.0.0.1:9")

    assert (code, output) == (2, "")
    assert errors.startswith("No Temporal answers at 127.0.0.1:9: ")
    assert "Traceback" not in errors
