"""English, as far as the offline model knows it: tokens, stems, words without meaning, words that mean alike.

Nothing here knows a tool.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = [
    "FLUFF",
    "READ_VERBS",
    "STOP_WORDS",
    "TIME_WORDS",
    "WRITE_VERBS",
    "Token",
    "concepts",
    "content_stems",
    "is_capital",
    "spaced",
    "stem",
    "tokens",
    "word_set",
]


@dataclass(frozen=True)
class Token:
    """A word and where it stands."""

    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The word in lower case, without a possessive or contracted 's."""
        return re.sub(r"'s$", "", self.text.lower())


# A word may hold hyphens, dots and apostrophes (DEMO-123, D.C, what's), but does not end in one.
_WORD: Final = re.compile(r"\w+(?:[-.'&/]\w+)*")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-./\s]+")


def tokens(text: str) -> list[Token]:
    """Split a text into words."""
    return [Token(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def spaced(name: str) -> str:
    """Write an identifier in words: `get_jira_metrics` and `getJiraMetrics` are get jira metrics."""
    return " ".join(part.lower() for part in _CAMEL.split(name) if part)


def is_capital(word: str) -> bool:
    """Whether a word looks like a name: a capital first, or a script that has none."""
    first = word[:1]
    return first.isalpha() and (first.isupper() or first.lower() == first.upper())


# Longest first. What is left must keep three letters ("rate" is not stemmed to "r"), two before a plural s (IPs).
_SUFFIXES: Final = (
    *("ations", "ation", "ators", "ator", "ating", "ated", "ates", "ate"),
    *("ments", "ment", "ings", "ing", "ies", "ied", "es", "ed", "s", "y", "e"),
)
_MIN_STEM: Final = 3


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Cut a word to what its forms share: calculate, calculator and calculation are one."""
    word = re.sub(r"'s$", "", word.lower())
    word = word.replace("our", "or")  # colour and color are one
    if word.endswith("ss"):
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _MIN_STEM - (suffix == "s"):
            return word[: -len(suffix)]
    return word


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text, for the tables of words in these modules."""
    return frozenset(text.split())


READ_VERBS: Final = word_set(
    "get show list read fetch find search look lookup check describe query count display see tell give view "
    "what whats which who whom whose where when why how is are am was were do does did has have had will would"
)
WRITE_VERBS: Final = word_set(
    "set switch change make track record log save register store add create delete remove update send book reserve "
    "order put stop cancel use pick choose select assign note clear reset write post close open assign buy sell"
)
# Said before the verb that matters.
FLUFF: Final = word_set(
    "please can could would will you i i'd i'll we let's lets want to need like hey hi hello ok okay so and then also "
    "now just kindly me for us id go ahead want's wanna may might should shall"
)
TIME_WORDS: Final = word_set(
    "today tomorrow tonight yesterday now currently right this next last week weekend month morning afternoon "
    "evening night moment later soon please monday tuesday wednesday thursday friday saturday sunday like going"
)
STOP_WORDS: Final = (
    FLUFF
    | word_set(
        "a an the this that these those it its it's he she they them their there here of in on at by with from into "
        "about over under or but if not no any some all each every my your our his her mine yours is are am was were "
        "be been being do does did done has have had having can could will would what whats what's which who whom "
        "whose where where's when why how how's much many get got gets give gives show list tell see display doing "
        "look up out off as than too very really more most current currently today now right it'd i'm im i've "
        "that's there's work worked thing things way one's using used user users when given such via per"
    )
    | {"one", "know", "help", "thanks", "thank", "again", "both", "same", "exactly", "however", "small", "another"}
)

# Words that mean alike; one line is one meaning, and a word may have several.
_ALIKE: Final = """
    weather rain rainy snow snowy sun sunny cloud cloudy wind windy storm forecast temperature outside climate
    weather hot cold warm chilly freezing humid degrees umbrella jacket coat
    price cost worth trade trading traded quote value expensive
    stock share ticker symbol equity
    calculate compute arithmetic math maths evaluate sum add plus subtract minus multiply divide product difference
    calculate expression equation solve
    roi invest investment return yield profit grow growth earn interest compound
    history past previous earlier
    metric stat stats statistic statistics kpi figure measure velocity progress
    set switch change choose select use pick make assign
    track record log save register note store
    book reserve reservation booking
    delete remove drop clear erase
    send mail email message
    create open
    translate translation language
    time clock hour
"""
_CONCEPTS: Final = tuple(frozenset(stem(word) for word in line.split()) for line in _ALIKE.strip().splitlines())


@lru_cache(maxsize=8192)
def concepts(word_stem: str) -> tuple[int, ...]:
    """Return the meanings that a stem has here; none for most words."""
    return tuple(number for number, group in enumerate(_CONCEPTS) if word_stem in group)


def content_stems(words: Iterable[str]) -> frozenset[str]:
    """Return the stems of the words that carry meaning."""
    return frozenset(stem(word) for word in words if word.lower() not in STOP_WORDS and not word.isdigit())
