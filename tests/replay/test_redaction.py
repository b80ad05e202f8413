"""Stored histories still replay when nothing is left in them of what was said."""

import pytest

from durable_loop.testing.durable_agent import replayer_of
from durable_loop.testing.histories.redaction import redacted_to_replay
from durable_loop.testing.histories.replaying import does_replay
from durable_loop.testing.own_agent import CHAT, SERVICES
from tests.replay.reading import history
from tests.requirements import requirement


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("chat/asked-first", ["cache_scope", "policy.approval", "verdict"]),
        ("chat/continued-as-new.next-run", ["cache_scope"]),
        ("chat/mcp-tools", ["cache_scope"]),
        ("finance/stock-price", ["currency"]),
        ("it/session", []),
        ("negative/another-activity-first", None),
    ],
)
@requirement("harness.pull")
async def test_a_covered_history_replays_with_no_more_than_the_words_that_its_types_ask_for(
    name: str, readable: list[str] | None
) -> None:
    """Of enumerations; one that does not replay anyhow is not kept as one that does. (ours)"""
    recorded = history(name)
    replayer = replayer_of([CHAT, SERVICES], recorded.workflow_type)

    found = await redacted_to_replay(recorded, lambda covered: does_replay(covered, replayer))

    assert (found.readable if found else None) == readable
