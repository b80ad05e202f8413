"""Recorded histories: what happened in real runs, kept, and replayed on this code without a server.

`history`: one history, fetched or read. `scrubbing`: what a stored one does not tell.
`replaying`: whether this code still gives the recorded commands, also from each boundary of a workflow task.
`sendings`, `drift`: whether it still sends what was sent.
"""

from durable_loop.testing.histories.drift import Difference, in_words
from durable_loop.testing.histories.history import RecordedHistory, fetch_history, fetch_runs
from durable_loop.testing.histories.replaying import (
    MakeReplayer,
    Replayed,
    replay_histories,
    replay_history,
    replay_prefixes,
)

__all__ = [
    "Difference",
    "MakeReplayer",
    "RecordedHistory",
    "Replayed",
    "fetch_history",
    "fetch_runs",
    "in_words",
    "replay_histories",
    "replay_history",
    "replay_prefixes",
]
