"""The stored histories as a test sees them: a fresh run must tell the story that is kept, or is recorded."""

from collections.abc import Collection

from durable_loop.testing.errors import HistoryChangedError, HistoryMissingError
from durable_loop.testing.histories.comparison import first_difference
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.store import Entry, Expectation, HistoryStore

__all__ = ["Scenarios"]


class Scenarios:
    """Compares fresh histories with the stored ones.

    `record` stores those that are missing; `refresh` names the scenarios whose next generation is stored, which takes
    the place of the newest one where it is done `anew`.
    """

    def __init__(
        self, store: HistoryStore, *, record: bool = False, refresh: Collection[str] = (), anew: bool = False
    ) -> None:
        self.store = store
        self.recorded: list[Entry] = []
        self.compared = 0
        self._record = record
        self._refresh = frozenset(refresh)
        self._anew = anew

    def match(
        self,
        name: str,
        fresh: RecordedHistory,
        *,
        why: str,
        expect: Expectation = Expectation.REPLAYS,
        allowed: Collection[str] = (),
    ) -> None:
        """Pass where `fresh` tells what the newest generation of `name` (`area/scenario`) tells.

        `allowed` are texts that may be recorded though they look as if they told of the machine.

        Raises:
            HistoryChangedError: it does not; names the first event that differs.
            HistoryMissingError: there is none, and this is no recording.
        """
        newest = self.store.newest(name)
        if name in self._refresh or (self._record and newest is None):
            kept = self.store.keep(name, fresh, why=why, expect=expect, allowed=allowed, anew=self._anew)
            self.recorded.append(kept)
            return
        if newest is None:
            raise HistoryMissingError(name)
        self.compared += 1
        difference = first_difference(self.store.read(newest), fresh.scrubbed())
        if difference is not None:
            raise HistoryChangedError(history=newest.id, difference=str(difference))
