"""What a user's message asks for, part by part: the offline model's understanding of one message.

A message is cut wherever a new request may begin; a piece that makes no request of its own goes
back to the piece before it ("the sum of 12" + "and 15"). What an earlier message left open is
carried on by a piece that makes no sense alone ("Paris", "what about London?").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from durable_loop.models.offline.arguments import fill
from durable_loop.models.offline.choosing import Choice, Toolbox, first_word, mood
from durable_loop.models.offline.clause import Clause
from durable_loop.models.offline.memory import Memory, fact_in, question_in
from durable_loop.models.offline.offers import Effect, Kind, Slot
from durable_loop.models.offline.parts import Noted, Part, Recalled, Requested, Understood, Unknown
from durable_loop.models.offline.small_talk import SmallTalk, small_talk_in
from durable_loop.models.offline.splitting import Segment, split
from durable_loop.models.offline.strings import acceptable
from durable_loop.models.offline.words import STOP_WORDS, stem, word_set

__all__ = ["MAX_CHARS", "understand"]

# Longer messages are not read: rules gain nothing from them, and reading must stay quick.
MAX_CHARS: Final = 4_000
# More pieces than a person asks at once; what comes after them is said to be left out.
_MAX_SEGMENTS: Final = 24
_MAX_SHOWN: Final = 60
# Pieces that go back to the piece before them must end somewhere, too.
_MAX_JOINED_CHARS: Final = 600


def understand(message: str, toolbox: Toolbox, memory: Memory, before: Choice | None) -> Understood:
    """Read a message after `memory` and the last tool request `before` it; facts in it go to the memory."""
    reader = _Reader(message, toolbox, memory, before)
    segments = split(message[:MAX_CHARS])
    for number, segment in enumerate(segments[:_MAX_SEGMENTS]):
        reader.read(segment, listed=_is_listed(segments, number))
    parts = [part for _, part in reader.parts]
    if len(segments) > _MAX_SEGMENTS:
        parts.append(Unknown(f"{segments[_MAX_SEGMENTS].clause.text[:_MAX_SHOWN]} …", asked=True))
    memory.facts += [part.fact for part in parts if isinstance(part, Noted)]
    return Understood(tuple(parts))


def _is_listed(segments: Sequence[Segment], number: int) -> bool:
    """Whether a piece continues a list: "A and B", or "A, B and C" but not "Paris, France"."""
    following = segments[number:]
    rest = next((segment.separator for segment in following if segment.separator != "comma"), "end")
    return rest == "and"


@dataclass
class _Reader:
    message: str
    toolbox: Toolbox
    memory: Memory
    before: Choice | None
    parts: list[tuple[int, Part]] = field(default_factory=list[tuple[int, Part]])

    def read(self, segment: Segment, *, listed: bool) -> None:
        """Take a piece as a request of its own, as a continuation, or back to the piece before it."""
        alone = self._meaning(segment.clause)
        if not self.parts:
            self.parts.append((segment.start, self._carried_on(segment.clause, alone)))
            return
        start, previous = self.parts[-1]
        joined = Clause(self.message[start : segment.end].strip())
        if self._belongs_to(previous, alone) and len(joined.text) <= _MAX_JOINED_CHARS:
            whole = self._meaning(joined)
            if _is_complete(whole) or isinstance(previous, Requested):
                self.parts[-1] = (start, whole)
                return
        if not isinstance(alone, Unknown) and not self._is_rest_of(previous, alone, segment):
            self.parts.append((segment.start, alone))
        elif listed and (sibling := self._sibling(previous, segment)) is not None:
            self.parts.append((segment.start, sibling))
        elif isinstance(alone, Unknown) and alone.asked and segment.separator != "comma":
            self.parts.append((segment.start, alone))
        else:
            self.parts[-1] = (start, self._rejoined(previous, joined, segment))

    def _meaning(self, clause: Clause) -> Part:
        talk = small_talk_in(clause.text)
        if talk is not None:
            return talk
        fact = fact_in(clause.text, asked_to_remember=not self._is_tool_verb(clause))
        if fact is not None:
            return Noted(fact)
        question = question_in(clause.text, self.memory_so_far)
        if question is not None and question.known:
            return Recalled(question.answer)
        choice = self.toolbox.choose(clause)
        if choice is not None:
            return Requested(self._with_remembered(choice, clause))
        return Recalled(question.answer) if question is not None else _unknown(clause)

    @property
    def memory_so_far(self) -> Memory:
        """The memory with what this message has said up to here."""
        noted = [part.fact for _, part in self.parts if isinstance(part, Noted)]
        return Memory([*self.memory.facts, *noted], self.memory.said)

    def _is_tool_verb(self, clause: Clause) -> bool:
        return any(stem(first_word(clause)) in offer.name_stems for offer in self.toolbox.offers)

    def _belongs_to(self, previous: Part, alone: Part) -> bool:
        """Whether a piece completes what stands before it: the same tool, with something missing in either."""
        if not isinstance(alone, Requested) or alone.complete:
            return False
        if isinstance(previous, Requested):
            return previous.choice.offer is alone.choice.offer
        return isinstance(previous, Unknown)

    def _is_rest_of(self, previous: Part, alone: Part, segment: Segment) -> bool:
        """Whether a bare value after a comma is a part of the value before it: "Washington, D.C."."""
        if segment.separator != "comma" or not (_is_complete(previous) and _is_complete(alone)):
            return False
        offers = [part.choice.offer for part in (previous, alone) if isinstance(part, Requested)]
        words = [token for token in segment.clause.tokens if token.lower not in STOP_WORDS]
        return len(words) == 1 and offers[0] is not offers[1]

    def _rejoined(self, previous: Part, joined: Clause, segment: Segment) -> Part:
        """Read two pieces as one; a complete request is not given up for a remark after it."""
        if segment.separator == "end" and isinstance(previous, Requested) and previous.complete:
            return previous
        if len(joined.text) > _MAX_JOINED_CHARS:
            return previous
        whole = self._meaning(joined)
        keep = isinstance(whole, Unknown | SmallTalk) and not isinstance(previous, Unknown | SmallTalk)
        return previous if keep else whole

    def _sibling(self, previous: Part, segment: Segment) -> Part | None:
        """Read "and MSFT" after a complete request as the same request again, with another value."""
        clause = segment.clause
        if not isinstance(previous, Requested) or not previous.complete:
            return None
        filling = fill(previous.choice.offer, clause, self.toolbox.knows)
        named = {slot: value for slot, value in filling.values.items() if slot.kind in _LISTABLE}
        bare = all(token.lower in STOP_WORDS or not filling.is_free(token.start, token.end) for token in clause.tokens)
        if len(named) != 1 or not bare:
            return None
        if segment.separator == "comma" and any(_is_state(slot, value) for slot, value in named.items()):
            return None
        return Requested(replace(previous.choice, values={**previous.choice.values, **named}))

    def _carried_on(self, clause: Clause, alone: Part) -> Part:
        """Read a first piece that makes no sense alone as going on from the message before."""
        if self.before is None or not isinstance(alone, Unknown):
            return alone
        asked = bool(self.before.missing)
        lead = _LEAD.match(clause.text)
        if not asked and (lead is None or self.before.offer.effect is Effect.WRITE):
            return alone
        rest = Clause(clause.text[lead.end() :] if lead else clause.text)
        found = _answers(self.before, rest, self.toolbox) if asked else {}
        if not found and lead is not None:
            found = fill(self.before.offer, rest, self.toolbox.knows).values
        if not found:
            return alone
        return Requested(replace(self.before, values={**self.before.values, **found}))

    def _with_remembered(self, choice: Choice, clause: Clause) -> Choice:
        """Fill what is missing from what the user points at: "there", "where I live", "my project"."""
        values = dict(choice.values)
        for slot in choice.missing:
            value = self._remembered(slot, clause)
            if value is not None:
                values[slot] = value
        return replace(choice, values=values)

    def _remembered(self, slot: Slot, clause: Clause) -> str | None:
        if slot.type != "string" or slot.choices:
            return None
        mine = bool({"my", "mine"}.intersection(clause.words))
        if mine and {stem(word) for word in clause.words} & slot.name_stems:
            fact = next((fact for fact in reversed(self.memory_so_far.facts) if fact.key & slot.name_stems), None)
            return acceptable(slot, fact.value) if fact else None
        if slot.kind is not Kind.PLACE or not _THERE.search(clause.text):
            return None
        if self.before is not None and "there" in clause.words:
            return next((value for known, value in self.before.values.items() if known.kind is Kind.PLACE), None)
        home = self.memory_so_far.about(frozenset({stem("live")}))
        return re.sub(r"^in\s+", "", home.value) if home else None


# Said twice in one message, each is a call of its own: "AAPL and MSFT". Numbers and free text are not.
_LISTABLE: Final = frozenset({Kind.EXPRESSION, Kind.TICKER, Kind.PLACE, Kind.CODE, Kind.CHOICE, Kind.NAME})
_LEAD: Final = re.compile(
    r"^(?:(?:ok|okay|so|now)[,\s]+)*(?:and|what\s+about|how\s+about|same\s+for|also|or|now)\b[\s,]*(?:for|in|of)?\s*",
    re.IGNORECASE,
)
_THERE: Final = re.compile(r"\b(?:there|here|at\s+home|where\s+i\s+live)\b", re.IGNORECASE)
_MAX_BARE_WORDS: Final = 8


def _answers(asked: Choice, clause: Clause, toolbox: Toolbox) -> dict[Slot, Any]:
    """Read a clause as the answer to what was asked for; one missing text is the clause itself."""
    found = {
        slot: value for slot, value in fill(asked.offer, clause, toolbox.knows).values.items() if slot in asked.missing
    }
    only = asked.missing[0] if len(asked.missing) == 1 else None
    free = only is not None and only.kind in {Kind.NAME, Kind.TEXT} and len(clause.words) <= _MAX_BARE_WORDS
    if not found and only is not None and free and mood(clause) is Effect.UNSAID:
        text = acceptable(only, clause.text.strip(" .!?"))
        return {} if text is None else {only: text}
    return found


def _is_state(slot: Slot, value: Any) -> bool:
    """Whether a place is no more than the end of one: Austin, TX; Washington, D.C."""
    return slot.kind is Kind.PLACE and len(str(value)) <= len("D.C.") and str(value).isupper()


def _is_complete(part: Part) -> bool:
    return isinstance(part, Requested) and part.complete


def _unknown(clause: Clause) -> Unknown:
    return Unknown(clause.text, asked=bool(clause.content) and _asks(clause))


# Verbs that ask for something, beyond those that read and write.
_ASKING: Final = word_set(
    "sing play explain summarize summarise draw paint cook call ring buy sell help teach recommend suggest compare "
    "generate code email text remind schedule turn run walk dance guess list name"
)


def _asks(clause: Clause) -> bool:
    return mood(clause) is not Effect.UNSAID or first_word(clause) in _ASKING or clause.text.endswith("?")
