"""Whether two runs of one scenario tell the same story.

No two runs are equal event by event: times, ids that were drawn, the order in which concurrent calls end, and how many
workflow tasks they end in are all accidents. So a story has one moment for each command and each input, in order; a
call's outcome belongs to its command; ids, hashes and times are numbered in the order in which they appear.
Hashes of model input are ids here: the drift check compares what is behind them.
"""

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from durable_loop.testing.histories.events import attributes_of, kind_of, said
from durable_loop.testing.histories.history import RecordedHistory

__all__ = ["FirstDifference", "first_difference"]

_DRAWN: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a uuid
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"  # a time
    r"|\b(?=[0-9]*[a-f])[0-9a-f]{12,64}\b"  # part of an id, or a hash
    r"|(?<=[-_])[0-9]{12}\b"  # part of an id that happens to have no letter; not any long number
)
# What is an accident: when a worker came to it.
_LEFT_OUT: Final = ("workflow task ", "activity task started", "activity task cancel requested")
# Endings belong to the event that began what ends; the field names that event.
_BEGINNINGS: Final = ("scheduledEventId", "startedEventId", "initiatedEventId", "acceptedEventId")


@dataclass(frozen=True)
class FirstDifference:
    """The first moment at which two stories part; None stands for an end."""

    event: int
    stored: str | None
    fresh: str | None

    def __str__(self) -> str:
        """Name the event, and both sides."""
        return (
            f"They differ first at event {self.event} of the stored history.\n"
            f"  stored: {self.stored or 'it ends'}\n  fresh:  {self.fresh or 'it ends'}"
        )


def first_difference(stored: RecordedHistory, fresh: RecordedHistory) -> FirstDifference | None:
    """Return where a fresh history tells another story than the stored one, or None."""
    last = len(stored.events)
    for old, new in zip_longest(_story(stored), _story(fresh)):
        if old is None or new is None or old[1] != new[1]:
            return FirstDifference(old[0] if old else last, old[1] if old else None, new[1] if new else None)
    return None


def _story(history: RecordedHistory) -> list[tuple[int, str]]:
    """Return the moments with the numbers of their events: inputs first, then commands, each in order."""
    moments: dict[str, list[str]] = {}
    inputs: list[str] = []
    for event in history.events:
        kind, attributes = kind_of(event), attributes_of(event)
        if kind.startswith(_LEFT_OUT):
            continue
        words = [kind, *said(attributes)]
        begun = next((attributes[key] for key in _BEGINNINGS if attributes.get(key) in moments), None)
        if begun is not None:
            moments[begun] += ["→", *words]
        else:
            moments[event["eventId"]] = words
            if "signaled" in kind:  # when it comes, between which commands, is the sender's accident
                inputs.append(event["eventId"])
    order = [*inputs, *(number for number in moments if number not in inputs)]
    numbers: dict[str, int] = {}
    return [(int(number), _numbered(" ".join(moments[number]), numbers)) for number in order]


def _numbered(text: str, numbers: dict[str, int]) -> str:
    return _DRAWN.sub(lambda found: f"<{numbers.setdefault(found[0], len(numbers) + 1)}>", text)
