"""Recorded histories: what happened in real runs, kept, and replayed on this code without a server.

`history`: one history, fetched or read. `scrubbing`: what a stored one does not tell.
`replaying`: whether this code still gives the recorded commands.
"""

from durable_loop.testing.histories.history import RecordedHistory, fetch_history, fetch_runs
from durable_loop.testing.histories.replaying import replay_history

__all__ = ["RecordedHistory", "fetch_history", "fetch_runs", "replay_history"]
