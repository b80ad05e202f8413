"""What the user has said about themselves in this chat, read from the transcript each time; the latest word wins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from durable_loop.models.offline.words import content_stems, stem, tokens, word_set

__all__ = ["Fact", "Memory", "Question", "fact_in", "may_hold_fact", "question_in"]

_MAX_VALUE: Final = 200


@dataclass(frozen=True)
class Fact:
    """Something that the user said. `key` is what it is about, as stems; `sentence` says it back."""

    key: frozenset[str]
    subject: str
    value: str
    sentence: str


@dataclass
class Memory:
    """The facts of a chat, and what the user said in it."""

    facts: list[Fact] = field(default_factory=list[Fact])
    said: list[str] = field(default_factory=list[str])

    def about(self, key: frozenset[str]) -> Fact | None:
        """Return the latest fact with exactly this subject, else the latest that speaks of all of it."""
        exact = [fact for fact in self.facts if fact.key == key]
        wide = [fact for fact in self.facts if key and key <= fact.key | _stems(fact.sentence)]
        return next(reversed(exact or wide), None)

    def all(self) -> list[str]:
        """Return every fact that still holds, oldest first."""
        latest = {(fact.subject, fact.key): fact.sentence for fact in self.facts}
        return list(latest.values())


_YOURS: Final = {"my": "your", "mine": "yours", "me": "you", "i": "you", "i'm": "you are"}
_YOURS_VERBS: Final = {"am": "are", "was": "were"}
_TO_YOU: Final = re.compile(r"\b(?:i'm|i\s+(?:am|was)|i|my|mine|me)\b", re.IGNORECASE)

_REMEMBER: Final = re.compile(
    r"^(?:please\s+)?(?:remember|note|keep in mind|don'?t forget)(?:\s+that|\s*:|\s+this:?)?\s+(?P<what>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_MY_X_IS_Y: Final = re.compile(
    r"^(?:(?:hi|hello|hey|so|ok|by the way|and|well|actually|also|no|now)[,!.]?\s+)*"
    r"my\s+(?P<subject>[\w\s'-]{1,60}?)(?:\s+(?P<verb>is|are|was)(?:\s+now)?|'s(?!\s+(?:\w+\s+){1,3}(?:is|are|was)\b))"
    r"\s+(?P<value>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_MY_NAME: Final = re.compile(
    r"^(?:(?:hi|hello|hey|and|by the way)[,!.]?\s+)*(?:i\s+am|i'm|(?:please\s+)?call\s+me)\s+"
    r"(?P<value>[^\W\d_][\w'-]*(?:\s+[^\W\d_][\w'-]*)?)$",
    re.IGNORECASE,
)
_I_DO: Final = re.compile(
    r"^(?:(?:hi|hello|hey|and|by the way|well|actually)[,!.]?\s+)*i\s+"
    r"(?P<verb>live|work|study|come|like|love|prefer|hate|own|have|drive|play|speak|was born)\s+(?P<value>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_NOT_NAMES: Final = word_set("not very so a an the sorry here back ready fine good ok okay sure hungry tired")


_HINT: Final = re.compile(r"\b(?:my|i|i'm|call\s+me|remember|note|mind|forget)\b", re.IGNORECASE)


def may_hold_fact(message: str) -> bool:
    """Whether a message is worth cutting up for facts: a quick look, for long chats."""
    return _HINT.search(message) is not None


def fact_in(text: str, *, asked_to_remember: bool = True) -> Fact | None:
    """Return the fact that a clause states, or None for anything else (a question, a request)."""
    said = " ".join(text.split()).rstrip(" .!")
    if not said or said.endswith("?"):
        return None
    remember = _REMEMBER.match(said) if asked_to_remember else None
    if remember is None:
        return _stated(said)
    what = remember["what"]
    return _stated(what) or Fact(_stems(what), what, what, f"You told me: {what[:_MAX_VALUE]}.")


def _stated(said: str) -> Fact | None:
    if match := _MY_X_IS_Y.match(said):
        subject, value = match["subject"].strip().lower(), _to_you(match["value"])[:_MAX_VALUE]
        return Fact(_stems(subject), subject, match["value"], f"Your {subject} {match['verb'] or 'is'} {value}.")
    if (match := _MY_NAME.match(said)) and _is_name(match["value"], said):
        return Fact(frozenset({stem("name")}), "name", match["value"], f"Your name is {match['value']}.")
    if match := _I_DO.match(said):
        verb = match["verb"].lower()
        you = verb.replace("was", "were")
        key = frozenset({stem(verb.split()[-1])})
        return Fact(key, verb, match["value"], f"You {you} {_to_you(match['value'])[:_MAX_VALUE]}.")
    return None


def _is_name(value: str, said: str) -> bool:
    words = value.split()
    called = "call me" in said.lower()
    return words[0].lower() not in _NOT_NAMES and (called or all(word[0].isupper() for word in words))


def _stems(text: str) -> frozenset[str]:
    words = [token.lower for token in tokens(text)]
    return content_stems(words) or frozenset(stem(word) for word in words)


def _to_you(text: str) -> str:
    def swap(match: re.Match[str]) -> str:
        first, *rest = match.group().lower().split()
        return " ".join([_YOURS[first], *(_YOURS_VERBS[verb] for verb in rest)])

    return _TO_YOU.sub(swap, text)


_WHAT_IS_MY: Final = re.compile(
    r"(?:what(?:'s|\s+is|\s+are|\s+was)|who(?:'s|\s+is|\s+are)|when(?:'s|\s+is)|where(?:'s|\s+is)|"
    r"(?:do\s+you\s+)?(?:remember|know|recall)|(?:can\s+you\s+)?tell\s+me|say)\s+(?:again\s+)?(?:what\s+)?"
    r"my\s+(?P<subject>[\w\s'-]{1,60}?)(?:\s+is|\s+are)?(?:\s+called)?(?:\s+again)?\s*\??$",
    re.IGNORECASE,
)
_WHO_AM_I: Final = re.compile(r"^(?:(?:do|can)\s+you\s+\w+\s+)?who\s+(?:am\s+i|i\s+am)\s*\??$", re.IGNORECASE)
_MY_NAME_AGAIN: Final = re.compile(r"\bwhat\s+(?:am\s+i|i\s+am)\s+called\b", re.IGNORECASE)
_DO_I: Final = re.compile(
    r"\b(?:where|what|which|who|when)\b(?:\s+\w+){0,3}?\s+(?:do|did|was)\s+i\s+(?P<verb>\w+)(?P<rest>[\w\s]*)\??$",
    re.IGNORECASE,
)
_SAID: Final = re.compile(
    r"\bwhat\s+(?:did|have)\s+i\s+(?:just\s+)?(?:say|said|ask|asked|tell|told|write|written)\b|"
    r"\bwhat\s+was\s+my\s+(?:first|last|previous)\s+(?:question|message|request)\b",
    re.IGNORECASE,
)
_KNOW_ABOUT_ME: Final = re.compile(
    r"\bwhat\s+(?:do|did)\s+you\s+(?:know|remember)(?:\s+about\s+me)?\s*\??$|\bwhat\s+(?:have|did)\s+i\s+(?:tell|told)\s+you"
    r"(?:\s+about\s+(?:me|myself))?\s*\??$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Question:
    """A question to the memory: its answer, and whether the memory had one."""

    answer: str
    known: bool


def question_in(text: str, memory: Memory) -> Question | None:
    """Answer a clause that asks for something said earlier, or return None for anything else."""
    said = " ".join(text.split()).strip()
    if _KNOW_ABOUT_ME.search(said):
        facts = memory.all()
        return Question(" ".join(facts) or "You have not told me anything about yourself yet.", known=bool(facts))
    if _SAID.search(said):
        return _what_was_said(said, memory.said)
    if _WHO_AM_I.search(said) or _MY_NAME_AGAIN.search(said):
        return _answer(memory, frozenset({stem("name")}), "your name")
    if match := _WHAT_IS_MY.search(said):
        subject = match["subject"].strip().lower()
        return _answer(memory, _stems(subject), f"your {subject}")
    if match := _DO_I.search(said):
        return _answer(memory, frozenset({stem(match["verb"])}), "that")
    fact = memory.about(content_stems(token.lower for token in tokens(said))) if said.endswith("?") else None
    return Question(fact.sentence, known=True) if fact else None


def _answer(memory: Memory, key: frozenset[str], what: str) -> Question:
    fact = memory.about(key)
    return Question(fact.sentence if fact else f"You have not told me {what}.", known=fact is not None)


def _what_was_said(question: str, earlier: Sequence[str]) -> Question:
    if not earlier:
        return Question("You have not said anything before this.", known=False)
    first = re.search(r"\bfirst\b", question, re.IGNORECASE)
    message = earlier[0] if first else earlier[-1]
    which = "The first thing that you said was" if first else "Before this you said"
    return Question(f"{which}: “{message[:_MAX_VALUE]}”", known=True)
