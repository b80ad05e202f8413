"""The verdict on a history: it replays, it breaks open chats, or it replays and something else is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from durable_loop.testing.errors import NonDeterminismFoundError
from durable_loop.testing.histories.drift import Difference, drift_sha256, in_words
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.replaying import MakeReplayer, replay_history, replay_prefixes
from durable_loop.testing.histories.store import Entry, Expectation

__all__ = ["Checked", "Verdict", "check_history"]


class Verdict(StrEnum):
    """What a replay has found; `BREAKS` is the worst."""

    REPLAYS = "replays"
    NOTICED = "is noticed"  # a negative history does not replay, as it must not
    DRIFTS = "drifts"  # open chats go on, and behave differently
    BREAKS = "breaks"  # open chats would be stuck
    UNNOTICED = "is not noticed"  # a negative history replays: the check proves nothing


@dataclass(frozen=True)
class Checked:
    """A history's verdict, with the reason in words where it is not that it replays; `note` is no reason to fail."""

    name: str
    verdict: Verdict
    words: str = ""
    events: int = 0
    prefixes: int = 0
    drift: Sequence[Difference] = ()
    note: str = ""

    @property
    def is_well(self) -> bool:
        """Whether it is as it has to be."""
        return self.verdict in (Verdict.REPLAYS, Verdict.NOTICED)


async def check_history(
    history: RecordedHistory, make_replayer: MakeReplayer, *, name: str, entry: Entry | None = None
) -> Checked:
    """Replay a history as it is, and as it was at each boundary of its workflow tasks.

    `entry` says what is expected of a stored one, and which drift is accepted.
    """
    events = len(history.events)
    negative = entry is not None and entry.expect is Expectation.NONDETERMINISM
    try:
        replayed = await replay_history(history, make_replayer, name=name)
        prefixes = await replay_prefixes(history, make_replayer, name=name) if not negative else 0
    except NonDeterminismFoundError as error:
        if negative:
            return Checked(name, Verdict.NOTICED, events=events)
        return Checked(name, Verdict.BREAKS, str(error), events)
    if negative:
        words = f"{name} must not replay, and does: whatever it was kept to show is not noticed any more."
        return Checked(name, Verdict.UNNOTICED, words, events)
    accepted = entry.accepted_drift if entry is not None else None
    drift = () if history.is_redacted else replayed.drift
    if drift and (accepted is None or drift_sha256(drift) != accepted.sha256):
        words = f"{name} replays, and something else is sent:\n{in_words(drift)}"
        return Checked(name, Verdict.DRIFTS, words, events, prefixes, drift)
    note = ""
    if accepted is not None and not drift:
        # Whoever took the change back may leave it so; but if it came again, nobody would be told.
        note = (
            f"{name} sends what is recorded: the drift that was accepted ({accepted.why}) is gone. "
            "Take accepted_drift out of its entry in manifest.toml, or that drift passes again."
        )
    return Checked(name, Verdict.REPLAYS, "", events, prefixes, note=note)
