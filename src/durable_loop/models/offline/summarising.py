"""What the offline model says when it is asked to summarise old turns: what the user told it, in their words."""

import re
from collections.abc import Iterator
from typing import Final

from durable_loop.models.offline.memory import fact_in, may_hold_fact
from durable_loop.models.offline.planning import MAX_CHARS
from durable_loop.models.offline.splitting import split

__all__ = ["summarised"]

NOTHING: Final = "(The user told nothing about themselves.)"

# How `chat.compaction` writes who speaks.
_SPEAKER: Final = re.compile(r"^(?P<who>user: |assistant: |assistant calls |result: )?(?P<said>.*)$")


def summarised(turns: str) -> str:
    """Return the facts among the user's lines, one a line; the latest word comes last, as it was said."""
    facts = [line for line in _lines_of_user(turns) if _holds_fact(line)]
    return "\n".join(dict.fromkeys(facts)) or NOTHING


def _lines_of_user(turns: str) -> Iterator[str]:
    user_speaks = False
    for line in turns.splitlines():
        match = _SPEAKER.match(line)
        who, said = (match["who"], match["said"]) if match else (None, line)
        user_speaks = who == "user: " if who else user_speaks
        if user_speaks:
            yield said


def _holds_fact(line: str) -> bool:
    return (
        len(line) <= MAX_CHARS
        and may_hold_fact(line)
        and any(fact_in(piece.clause.text) is not None for piece in split(line))
    )
