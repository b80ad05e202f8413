"""Recorded histories: what happened in real runs, kept, and replayed on this code without a server.

`history`: one history, fetched or read. `form`: whether what is read is one.
`scrubbing`: what a stored one does not tell.
`replaying`: whether this code still gives the recorded commands, also from each boundary of a workflow task.
`sendings`, `drift`: whether it still sends what was sent. `checks`: the verdict.
`store`: the folder of stored ones and its manifest. `comparison`, `scenarios`: whether a fresh one tells the same.
"""

from durable_loop.testing.histories.checks import Checked, Verdict, check_history
from durable_loop.testing.histories.comparison import FirstDifference, first_difference
from durable_loop.testing.histories.digest import digest
from durable_loop.testing.histories.drift import Difference, in_words
from durable_loop.testing.histories.history import RecordedHistory, fetch_history, fetch_runs
from durable_loop.testing.histories.replaying import (
    MakeReplayer,
    Replayed,
    replay_histories,
    replay_history,
    replay_prefixes,
    replay_unchanged,
)
from durable_loop.testing.histories.scenarios import Scenarios
from durable_loop.testing.histories.store import Entry, Expectation, HistoryStore

__all__ = [
    "Checked",
    "Difference",
    "Entry",
    "Expectation",
    "FirstDifference",
    "HistoryStore",
    "MakeReplayer",
    "RecordedHistory",
    "Replayed",
    "Scenarios",
    "Verdict",
    "check_history",
    "digest",
    "fetch_history",
    "fetch_runs",
    "first_difference",
    "in_words",
    "replay_histories",
    "replay_history",
    "replay_prefixes",
    "replay_unchanged",
]
