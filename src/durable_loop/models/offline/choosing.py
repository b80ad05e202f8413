"""Which of the offered tools a clause asks for, if any.

A tool's score is the sum of what the clause's words say for it (rare words say more), of values
whose very form speaks for it (an expression, a ticker), less something for words that it does not
know. Asking to see something speaks against a tool that changes something, and the other way round.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from durable_loop.models.offline.arguments import Filling, fill
from durable_loop.models.offline.clause import Clause
from durable_loop.models.offline.offers import Effect, Offer, Slot
from durable_loop.models.offline.words import (
    FLUFF,
    READ_VERBS,
    STOP_WORDS,
    TIME_WORDS,
    WRITE_VERBS,
    concepts,
    stem,
)

__all__ = ["Choice", "Toolbox", "first_word", "mood"]

# Below this no tool is meant: one word of a description is not enough, one word of a name is.
_THRESHOLD: Final = 2.0
_AGAINST_MOOD: Final = 0.4
_COMPLETE: Final = 0.5
_FIRST_WORD: Final = 1.0
_MISSING: Final = 0.5
_UNKNOWN_WORD: Final = 0.3
_MAX_UNKNOWN: Final = 1.5

# A question about what was done asks for a history.
_PAST: Final = re.compile(
    r"\b(?:did\s+(?:you|i|we)|(?:have|has)\s+(?:you|i|we|been)|so\s+far|until\s+now|\w+s\s+(?:have|were)\s+\w+ed)\b",
    re.IGNORECASE,
)


# "Don't track my IP" asks for nothing.
_NEGATED: Final = re.compile(r"\s*(?:please\s+)?(?:don'?t|do\s+not|never)\b", re.IGNORECASE)


def first_word(clause: Clause) -> str:
    """Return the first word that is more than politeness."""
    return next((word for word in clause.words if word not in FLUFF or word in {"will", "would"}), "")


def mood(clause: Clause) -> Effect:
    """Tell whether a clause asks to change something or to see something, by its first verb."""
    word = first_word(clause)
    if word in WRITE_VERBS:
        return Effect.WRITE
    return Effect.READ if word in READ_VERBS else Effect.UNSAID


@dataclass(frozen=True)
class Choice:
    """The tool that a clause asks for, and what the clause says for it."""

    offer: Offer
    values: dict[Slot, Any]

    @property
    def missing(self) -> list[Slot]:
        """The slots that the user still has to fill."""
        return [slot for slot in self.offer.slots if slot.needed and slot not in self.values]


@dataclass(frozen=True, eq=False)
class Toolbox:
    """The offered tools together: a word that many of them have says little for one."""

    offers: Sequence[Offer]

    @cached_property
    def _word_counts(self) -> Counter[str]:
        return Counter(word for offer in self.offers for word, weight in offer.weights.items() if weight >= 1)

    @cached_property
    def _concept_counts(self) -> Counter[int]:
        return Counter(
            concept for offer in self.offers for concept, weight in offer.concept_weights.items() if weight >= 1
        )

    @cached_property
    def _name_stems(self) -> frozenset[str]:
        return frozenset(
            word
            for offer in self.offers
            for word in (*offer.name_stems, *(name for slot in offer.slots for name in slot.name_stems))
        )

    def knows(self, word: str) -> bool:
        """Whether a word (in lower case) is about the tools, and so is not a value for one."""
        word_stem = stem(word)
        return word in READ_VERBS or word in WRITE_VERBS or word_stem in self._name_stems or bool(concepts(word_stem))

    def choose(self, clause: Clause) -> Choice | None:
        """Return the best tool, if one is good enough."""
        if _NEGATED.match(clause.text):
            return None
        best, best_score = None, _THRESHOLD
        for offer in self.offers:
            filling = fill(offer, clause, self.knows)
            score = self._score(offer, clause, filling)
            if score > best_score or (best is None and score >= best_score):
                best, best_score = Choice(offer, filling.values), score
        return best

    def _score(self, offer: Offer, clause: Clause, filling: Filling) -> float:
        words = self._unclaimed(clause, filling)
        said = sum(self._worth(offer, word) for word in words)
        unknown = sum(not self._worth(offer, word) for word in words)
        score = said + filling.evidence - min(unknown * _UNKNOWN_WORD, _MAX_UNKNOWN)
        needed = [slot for slot in offer.slots if slot.needed]
        missing = sum(slot not in filling.values for slot in needed)
        score += -_MISSING * missing if missing else _COMPLETE * bool(needed)
        if stem(first_word(clause)) in offer.name_stems:
            score += _FIRST_WORD
        return score * _AGAINST_MOOD if score > 0 and self._is_opposed(offer, clause) else score

    def _is_opposed(self, offer: Offer, clause: Clause) -> bool:
        """Whether the clause asks for something else than the tool does, about the same things."""
        asked = mood(clause)
        if {asked, offer.effect} == {Effect.READ, Effect.WRITE}:
            return True
        if offer.effect is not Effect.WRITE:
            return False
        return asked is Effect.WRITE and not self._worth(offer, stem(first_word(clause)))

    def _unclaimed(self, clause: Clause, filling: Filling) -> list[str]:
        """Return the stems that carry meaning and are no value; "history" is added to a question about the past."""
        words = {
            stem(token.lower): None
            for token in clause.tokens
            if token.lower not in STOP_WORDS
            and token.lower not in TIME_WORDS
            and not token.text[0].isdigit()
            and filling.is_free(token.start, token.end)
        }
        if _PAST.search(clause.text):
            words[stem("history")] = None
        return list(words)

    def _worth(self, offer: Offer, word: str) -> float:
        exact = offer.weights.get(word, 0.0) / max(1, self._word_counts[word]) ** 0.5
        alike = max(
            (
                offer.concept_weights.get(concept, 0.0) / max(1, self._concept_counts[concept]) ** 0.5
                for concept in concepts(word)
            ),
            default=0.0,
        )
        return max(exact, alike)
