"""The crash matrix bites: an agent that is not durable does not pass it."""

from pathlib import Path

from tests.e2e.commands import run_pytest
from tests.requirements import requirement

FOLDER = Path(__file__).with_name("careless_agent")


@requirement("harness.crash-matrix")
async def test_a_crash_that_makes_a_difference_is_named() -> None:
    """So are a point that is not reached and one that is not listed. (ours)"""
    code, output = await run_pytest(FOLDER, "-q", "crashes.py", PYTHONPATH=str(FOLDER))

    assert code == 1, output
    assert "5 failed" in output
    assert output.count("E       RuntimeError: the story went wrong") == 2
    assert "`points` must be what the story comes by: after-activity, before-activity." in output
    assert "The story ended and no worker came to before-model-call: take it out of `points`." in output
    assert "A worker killed at after-activity makes a difference." in output
    assert "result=1" in output
    assert "result=2" in output
