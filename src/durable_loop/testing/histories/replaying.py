"""Replay recorded histories on this code, without a server: whether it gives the same commands, and sends the same.

Two things can be wrong, and they are never mixed up: a history that does not replay means open chats that are stuck
(`NonDeterminismFoundError`); one that replays and sends something else means another behaviour (`Difference`).
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import zip_longest
from typing import Final, Protocol

from temporalio.client import WorkflowHistory
from temporalio.plugin import SimplePlugin
from temporalio.worker import Interceptor, Replayer

from durable_loop.testing.errors import DriftFoundError, NonDeterminismFoundError
from durable_loop.testing.histories.drift import Difference, differences, in_words
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.model_inputs import named_in
from durable_loop.testing.histories.retelling import retold
from durable_loop.testing.histories.sendings import Sending, SendingNotes, sendings_in
from durable_loop.testing.histories.watching import TaskFailures

__all__ = [
    "MakeReplayer",
    "Replayed",
    "does_replay",
    "replay_histories",
    "replay_history",
    "replay_prefixes",
    "replay_unchanged",
]

# Replay takes well under a second for a few hundred events; for ever with one, if it were left to Temporal.
REPLAY_TIMEOUT: Final = timedelta(seconds=60)
MINIMUM_EVENTS: Final = 2
_MESSAGE: Final = re.compile(r'\bmessage: "((?:[^"\\]|\\["\\/bfnrt])*)"')


class MakeReplayer(Protocol):
    """What makes a replayer: `DurableAgent.replayer` is one."""

    def __call__(self, interceptors: Sequence[Interceptor], *, plugins: Sequence[SimplePlugin]) -> Replayer:
        """Return one with these, besides its own."""
        ...


@dataclass(frozen=True)
class Replayed:
    """What came of a history: it replays where `error` is None, and `sent` is what this code sends."""

    history: RecordedHistory
    error: NonDeterminismFoundError | None
    sent: Sequence[Sending] = ()

    @cached_property
    def drift(self) -> Sequence[Difference]:
        """Where this differs from what was sent; compared when somebody asks, who has a history that replays."""
        return differences(retold(self.history, sendings_in(self.history), self.sent), self.sent)


async def replay_history(history: RecordedHistory, make_replayer: MakeReplayer, *, name: str = "") -> Replayed:
    """Replay a history. Returns when this code gives the commands that were recorded.

    Raises:
        NonDeterminismFoundError: it does not, or it fails while it replays.
    """
    async with aclosing(replay_histories([history], make_replayer, names=[name])) as replaying:
        async for replayed in replaying:
            if replayed.error is not None:
                raise replayed.error
            return replayed
    raise RuntimeError("the replayer gave no result")


async def does_replay(history: RecordedHistory, make_replayer: MakeReplayer) -> bool:
    """Return whether this code gives the commands that were recorded."""
    try:
        await replay_history(history, make_replayer)
    except NonDeterminismFoundError:
        return False
    return True


async def replay_unchanged(histories: Sequence[RecordedHistory], make_replayer: MakeReplayer) -> None:
    """Replay histories that this very code has just written.

    Raises:
        NonDeterminismFoundError: one does not replay.
        DriftFoundError: something else is sent: what is sent depends on time, chance or what else was in the process.
    """
    async with aclosing(replay_histories(histories, make_replayer)) as replaying:
        async for replayed in replaying:
            if replayed.error is not None:
                raise replayed.error
            if replayed.drift:
                raise DriftFoundError(history=replayed.history.workflow_id, drift=in_words(replayed.drift))


async def replay_histories(
    histories: Sequence[RecordedHistory], make_replayer: MakeReplayer, *, names: Sequence[str] = ()
) -> AsyncGenerator[Replayed]:
    """Replay histories with one replayer, which is faster than one each; give what came of each, in order.

    `names` are what errors call them, by default their workflow ids.
    """
    notes = SendingNotes({named for history in histories for named in named_in(history)})
    called = [name or history.workflow_id for history, name in zip_longest(histories, names)]
    failures = TaskFailures()
    replayer = make_replayer([notes], plugins=[failures])
    left = len(histories)
    async with replayer.workflow_replay_iterator(_for_replay(histories)) as results:
        iterator = aiter(results)
        for number, (history, name) in enumerate(zip(histories, called, strict=True)):
            if len(history.events) < MINIMUM_EVENTS:
                yield Replayed(history, None)  # no worker has had it yet: whatever the code is, it fits
                continue
            try:
                result = await asyncio.wait_for(anext(iterator), REPLAY_TIMEOUT.total_seconds())
            except TimeoutError:
                reason = "the replay does not come to an end"
                yield Replayed(history, NonDeterminismFoundError(history=name, reason=reason))
                left = number + 1
                break
            sent, failed = notes.take(history.run_id), failures.take(history.run_id)
            if result.replay_failure is not None:
                error = NonDeterminismFoundError(history=name, reason=_reason(result.replay_failure))
                error.__cause__ = result.replay_failure
                yield Replayed(history, error)
            elif failed is not None:
                reason, advice = f"its next task fails: {failed}", "Mend that: a workflow that is open there is stuck."
                yield Replayed(history, NonDeterminismFoundError(history=name, reason=reason, advice=advice))
            else:
                yield Replayed(history, None, sent)

    # The replayer that hangs is gone: the others get one of their own.
    if left < len(histories):
        async for replayed in replay_histories(histories[left:], make_replayer, names=called[left:]):
            yield replayed


async def replay_prefixes(history: RecordedHistory, make_replayer: MakeReplayer, *, name: str = "") -> int:
    """Replay a history as it was at each boundary of its workflow tasks; return how many prefixes there are.

    A worker that dies leaves its chat at such a boundary, and the next worker starts from there: as a task has begun,
    and as its commands are written. It has to replay what there is, and to do its next task. A shorter history is no
    new case: the server gives it to no worker.

    Raises:
        NonDeterminismFoundError: names the first prefix that does not replay.
    """
    name = name or history.workflow_id
    prefixes = [history.prefix(length) for length in boundaries(history.event_types)]
    names = [f"{name}, events 1 to {len(prefix.events)}" for prefix in prefixes]
    async with aclosing(replay_histories(prefixes, make_replayer, names=names)) as replaying:
        async for replayed in replaying:
            if replayed.error is not None:
                raise replayed.error
    return len(prefixes)


def boundaries(event_types: Sequence[str]) -> list[int]:
    """Return after how many events a workflow task has begun, or its commands are written; the whole is left out."""
    begun = {place for place, kind in enumerate(event_types, start=1) if kind == "EVENT_TYPE_WORKFLOW_TASK_STARTED"}
    written = {
        place - 1
        for place, kind in enumerate(event_types, start=1)
        if kind == "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED" and place > MINIMUM_EVENTS
    }
    return sorted(place for place in begun | written if MINIMUM_EVENTS <= place < len(event_types))


def _reason(failure: Exception) -> str:
    """Return what failed; the SDK gives the message within a dump of its own structures, stack trace included."""
    messages = [json.loads(f'"{found}"') for found in _MESSAGE.findall(str(failure))]
    return next((message for message in messages if message), str(failure))


async def _for_replay(histories: Iterable[RecordedHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        if len(history.events) >= MINIMUM_EVENTS:
            yield history.for_replay()
