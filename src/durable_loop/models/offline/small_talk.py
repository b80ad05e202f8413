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


# Each is the whole clause, but for a polite word before or after it.
_PHRASES: Final = {
    SmallTalk.GREETING: r"hi|hello|hey|hiya|howdy|greetings|good\s+(?:morning|afternoon|evening|day)|hi\s+there|"
    r"hello\s+there|hey\s+there|nice\s+to\s+meet\s+you",
    SmallTalk.THANKS: r"thanks?(?:\s+you)?(?:\s+(?:so|very)\s+much|\s+a\s+lot)?|thx|cheers|much\s+appreciated|"
    r"thanks\s+for\s+(?:your|the)\s+help|(?:that\s+is|that's)\s+(?:great|perfect|helpful)|"
    r"great|perfect|awesome|cool|nice|well\s+done",
    SmallTalk.FAREWELL: r"bye(?:\s+bye)?|goodbye|good\s*night|see\s+you(?:\s+later|\s+soon)?|farewell|ciao",
    SmallTalk.WELL_BEING: r"how\s+are\s+you(?:\s+doing)?(?:\s+today)?|how's\s+it\s+going|how\s+do\s+you\s+do|what's\s+up",
    SmallTalk.ABILITIES: r"help(?:\s+me)?|what\s+can\s+you\s+do(?:\s+for\s+me)?|what\s+do\s+you\s+do|who\s+are\s+you|"
    r"what\s+are\s+you|what(?:'s|\s+is)\s+your\s+name|(?:what|which)\s+tools\s+(?:do\s+you\s+have|are\s+there|can\s+you\s+use)|"
    r"how\s+can\s+you\s+help(?:\s+me)?|(?:list|show(?:\s+me)?)\s+(?:your\s+|the\s+)?tools|can\s+you\s+help(?:\s+me)?|"
    r"what\s+(?:else\s+)?(?:are\s+you\s+able\s+to|can\s+i)\s+(?:do|ask(?:\s+you)?)",
    SmallTalk.AGREEMENT: r"ok(?:ay)?|yes|yeah|no|nope|sure|right|i\s+see|got\s+it|alright|fine|never\s*mind",
}
_POLITE: Final = r"(?:\s+|so|please|then|there|again|everyone|friend|well|oh|you|very\s+much|ok(?:ay)?|hi|hello|hey)*"
_CLAUSES: Final = {kind: re.compile(rf"{_POLITE}\b(?:{phrase})\b{_POLITE}") for kind, phrase in _PHRASES.items()}
_PUNCTUATION: Final = re.compile(r"[^\w'\s]+")
_LONGEST: Final = 80


def small_talk_in(text: str) -> SmallTalk | None:
    """Return what kind of small talk a clause is, or None for anything else."""
    if len(text) > _LONGEST:
        return None
    plain = " ".join(_PUNCTUATION.sub(" ", text.lower().replace("’", "'")).split())  # noqa: RUF001 - what people type
    return next((kind for kind, pattern in _CLAUSES.items() if pattern.fullmatch(plain)), None)
