"""What the offline model does next: call tools or say something. A pure function of transcript and tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import decimal

from agents import Tool

from durable_loop.models.offline.arguments import nested
from durable_loop.models.offline.choosing import Choice, Toolbox
from durable_loop.models.offline.memory import Memory, fact_in, may_hold_fact
from durable_loop.models.offline.offers import Effect, offers_of
from durable_loop.models.offline.parts import Noted, Part, Recalled, Requested, Understood, Unknown
from durable_loop.models.offline.phrasing import (
    abilities,
    ask_for,
    cannot,
    confirm,
    phrase_result,
    small_talk,
    too_long,
)
from durable_loop.models.offline.planning import MAX_CHARS, understand
from durable_loop.models.offline.small_talk import SmallTalk
from durable_loop.models.offline.splitting import split
from durable_loop.models.offline.transcript import MadeCall, Turn

__all__ = ["ToolCall", "decide"]

# How far back a message may go on from: older turns only give facts.
_RECENT_TURNS: Final = 5


@dataclass(frozen=True)
class ToolCall:
    """A tool call to make."""

    name: str
    arguments: dict[str, Any]


def decide(turns: Sequence[Turn], tools: Sequence[Tool], *, parallel: bool = True) -> list[ToolCall] | str:
    """Return the next tool calls of the last turn, or its reply once it needs no more of them."""
    if not turns:
        return "What can I do for you?"
    toolbox = Toolbox(offers_of(tools))
    now = turns[-1]
    understood = _understand(turns, toolbox)
    wanted = [part.choice for part in understood.parts if isinstance(part, Requested) and part.complete]
    # The k-th call of a turn is for the k-th request, whatever became of it: so a turn always ends.
    if len(now.calls) < len(wanted):
        return [
            ToolCall(choice.offer.name, nested(choice.offer, choice.values))
            for choice in _batch(wanted[len(now.calls) :], parallel=parallel)
        ]
    if len(now.message) > MAX_CHARS:
        return too_long(len(now.message), MAX_CHARS)
    if not understood.parts and not now.calls:
        return f"What can I do for you? {abilities(toolbox.offers)}"
    return _reply(understood, now.calls, toolbox)


def _understand(turns: Sequence[Turn], toolbox: Toolbox) -> Understood:
    memory = Memory()
    before: Choice | None = None
    for age, turn in zip(range(len(turns), 1, -1), turns, strict=False):
        if age > _RECENT_TURNS:
            worth_reading = len(turn.message) <= MAX_CHARS and may_hold_fact(turn.message)
            pieces = split(turn.message) if worth_reading else []
            memory.facts += [fact for piece in pieces if (fact := fact_in(piece.clause.text)) is not None]
        else:
            request = _read(turn, toolbox, memory, before).last_request
            before = request or (None if before and before.missing else before)
        memory.said.append(turn.message)
    return _read(turns[-1], toolbox, memory, before)


def _read(turn: Turn, toolbox: Toolbox, memory: Memory, before: Choice | None) -> Understood:
    if len(turn.message) > MAX_CHARS:
        return Understood()
    # Every script has digits of its own.
    message = "".join(str(decimal(sign)) if sign.isdecimal() else sign for sign in turn.message)
    return understand(message, toolbox, memory, before)


def _batch(wanted: Sequence[Choice], *, parallel: bool) -> Sequence[Choice]:
    """Return the calls that may run side by side: one that changes something goes alone, in its place."""
    if not parallel:
        return wanted[:1]
    writing = next((number for number, choice in enumerate(wanted) if choice.offer.effect is Effect.WRITE), None)
    return wanted if writing is None else wanted[: max(writing, 1)]


def _reply(understood: Understood, calls: Sequence[MadeCall], toolbox: Toolbox) -> str:
    """Answer each part in order; then what other calls of the turn gave back."""
    results = iter(calls)
    parts = _worth_answering(understood.parts)
    unknown = [part.text for part in parts if isinstance(part, Unknown)]
    answers = max(len(parts), len(calls))
    lines: list[str] = []
    for part in parts:
        if isinstance(part, Requested) and part.complete:
            lines.append(phrase_result(next(results), alone=answers == 1))
        elif not isinstance(part, Unknown):
            lines.append(_answer(part, toolbox))
    lines += [phrase_result(call, alone=answers == 1) for call in results]
    if unknown or not lines:
        lines.append(cannot(unknown, toolbox.offers, partly=bool(lines)))
    return "\n".join(lines)


def _worth_answering(parts: Sequence[Part]) -> list[Part]:
    """Leave out greetings and remarks beside something to do."""
    serious: list[Part] = [
        part for part in parts if not isinstance(part, SmallTalk) and not (isinstance(part, Unknown) and not part.asked)
    ]
    return serious or list(parts[:1])


def _answer(part: Requested | Noted | Recalled | SmallTalk, toolbox: Toolbox) -> str:
    match part:
        case Requested(choice):
            return ask_for(choice)
        case Noted(fact):
            return confirm(fact)
        case Recalled(answer):
            return answer
        case SmallTalk():
            return small_talk(part, toolbox.offers)
