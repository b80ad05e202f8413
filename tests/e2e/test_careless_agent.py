"""The crash matrix bites: an agent that is not durable does not pass it."""

import asyncio
import os
import sys
from pathlib import Path

from tests.requirements import requirement

FOLDER = Path(__file__).with_name("careless_agent")


@requirement("harness.crash-matrix")
async def test_a_crash_that_makes_a_difference_is_named() -> None:
    """So are a point that is not reached and one that is not listed. (ours)"""
    pytest = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "crashes.py"),
        cwd=FOLDER,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await pytest.communicate())[0].decode()

    assert pytest.returncode == 1, output
    assert "5 failed" in output
    assert output.count("E       RuntimeError: the story went wrong") == 2
    assert "`points` must be what the story comes by: after-activity, before-activity." in output
    assert "The story ended and no worker came to before-model-call: take it out of `points`." in output
    assert "A worker killed at after-activity makes a difference." in output
    assert "result=1" in output
    assert "result=2" in output
