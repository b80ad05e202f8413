"""Greetings, thanks and the like: a clause that is nothing else."""

import re
from enum import StrEnum
from typing import Final

__all__ = ["SmallTalk", "small_talk_in"]


class SmallTalk(StrEnum):
    """What is said to be polite, or to ask who answers."""

    GREETING = "greeting"
    THANKS = "thanks"
    FAREWELL = "farewell"
    WELL_BEING = "well-being"
    ABILITIES = "abilities"
    AGREEMENT = "agreement"


# Each is the whole clause, but for polite words before or after it. In small letters; `(…)` may be left out.
_PHRASES: Final = {
    SmallTalk.GREETING: """
        hi (there) | hello (there) | hey (there) | hiya | howdy | greetings | good day | good morning | good afternoon
        | good evening | nice to meet you """,
    SmallTalk.THANKS: """
        thanks (a lot) | thanks (so) (very) much | thank you (so) (very) (much) | thx | cheers | much appreciated
        | thanks for your help | thanks for the help | that is great | that's great | perfect | great | awesome
        | cool | nice | well done """,
    SmallTalk.FAREWELL: "bye (bye) | goodbye | good bye | good night | see you (later) (soon) | farewell | ciao",
    SmallTalk.WELL_BEING: """
        how are you (doing) (today) | how's it going | how is it going | how do you do | what's up """,
    SmallTalk.ABILITIES: """
        help (me) | can you help (me) | how can you help (me) | what can you do (for me) | what do you do
        | who are you | what are you | what's your name | what is your name | what can i ask (you) | what can i do
        | what tools do you have | which tools do you have | what tools are there | which tools are there
        | what tools can you use | which tools can you use | list (your) (the) tools | show (me) (your) (the) tools """,
    SmallTalk.AGREEMENT: """
        ok | okay | yes | yeah | no | nope | sure | right | i see | got it | alright | fine | never mind """,
}
_POLITE: Final = "(?:(?:so|please|then|again|everyone|friend|well|oh|ok|okay|hi|hello|hey|and) )*"


def _word_pattern(word: str) -> str:
    return f"(?:{word.strip('()')} )?" if word.startswith("(") else f"{word} "


def _pattern(phrases: str) -> re.Pattern[str]:
    """Every word of the phrases, and of the text, ends in one space."""
    alternatives = ["".join(map(_word_pattern, _WORD.findall(phrase))) for phrase in phrases.split("|")]
    return re.compile(f"{_POLITE}(?:{'|'.join(alternatives)}){_POLITE}")


# A word, or words in parentheses.
_WORD: Final = re.compile(r"\([^)]*\)|[\w']+")
_CLAUSES: Final = {kind: _pattern(phrases) for kind, phrases in _PHRASES.items()}
_PUNCTUATION: Final = re.compile(r"[^\w'\s]+")
_LONGEST: Final = 80


def small_talk_in(text: str) -> SmallTalk | None:
    """Return what kind of small talk a clause is, or None for anything else."""
    if len(text) > _LONGEST:
        return None
    plain = "".join(f"{word} " for word in _PUNCTUATION.sub(" ", text.lower()).split())
    return next((kind for kind, pattern in _CLAUSES.items() if pattern.fullmatch(plain)), None)
