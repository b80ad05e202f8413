"""The stored histories as a test sees them: a fresh run must tell the story that is kept, or is recorded."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from durable_loop.testing.errors import HistoryChangedError, HistoryMissingError
from durable_loop.testing.histories.comparison import first_difference
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.manifest import stated
from durable_loop.testing.histories.store import Entry, Expectation, HistoryStore

__all__ = ["Scenarios"]


@dataclass(frozen=True)
class _Recording:
    """What will be stored if the test passes."""

    id: str
    history: RecordedHistory
    keep: Callable[[], Entry]


class Scenarios:
    """Compares fresh histories with the stored ones.

    `record` stores those that are missing; `refresh` names the scenarios whose next generation is stored, which takes
    the place of the newest one where it is done `anew`. What `match` records waits for `keep` or `forget`, which the
    plugin calls at the end of each test: a test that fails leaves nothing behind.
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
        self._waiting: dict[str, _Recording] = {}

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
            SettingsError: it is to be recorded, and cannot be.
        """
        newest, waiting = self.store.newest(name), self._waiting.get(name)
        if waiting is None and (name in self._refresh or (self._record and newest is None)):
            id_ = self.store.next_id(name, fresh, allowed=allowed, anew=self._anew)
            why = stated(why)
            keep = partial(self.store.keep, name, fresh, why=why, expect=expect, allowed=allowed, anew=self._anew)
            self._waiting[name] = _Recording(id_, fresh, keep)
            return
        if waiting is not None:
            id_, known = waiting.id, waiting.history.scrubbed()
        elif newest is not None:
            id_, known = newest.id, self.store.read(newest)
        else:
            raise HistoryMissingError(name)
        self.compared += 1
        difference = first_difference(known, fresh.scrubbed())
        if difference is not None:
            raise HistoryChangedError(history=id_, difference=str(difference))

    def keep(self) -> None:
        """Store what was recorded since the last time.

        Raises:
            SettingsError: something cannot be written; what would have followed is not stored.
        """
        try:
            for recording in self._waiting.values():
                self.recorded.append(recording.keep())
        finally:
            self.forget()

    def forget(self) -> None:
        """Store nothing of what was recorded since the last time."""
        self._waiting.clear()
