"""Where a message may hold more than one request: at sentence ends, semicolons, "and", "then", "also", commas."""

import re
from dataclasses import dataclass
from typing import Final

from durable_loop.models.offline.clause import Clause

__all__ = ["Segment", "split"]

# A dot ends a sentence only before a space, and not after an initial or "St".
_SEPARATOR: Final = re.compile(
    r"""
    (?P<end>   (?<! \b\w ) (?<! \bSt ) (?<! \bMr ) (?<! \bDr ) (?<! \bvs ) [.!?]+ ["'”)]* (?=\s) | \n+ | ; )
    | (?P<and> (?: \s*,\s* | \s+ ) (?: and | & | then | also | plus \s+ also ) (?: \s+ (?: then | also ) )* (?=\s) )
    | (?P<comma> , (?=\s) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_QUOTED: Final = re.compile(r'"[^"]*"|“[^”]*”|«[^»]*»|(?<!\w)\'[^\']*\'(?!\w)')


@dataclass(frozen=True)
class Segment:
    """A piece that may be a request of its own; `separator` is what stands before it."""

    separator: str
    start: int
    end: int
    clause: Clause


def split(message: str) -> list[Segment]:
    """Cut a message at every place where a new request may begin; quotations stay whole."""
    quoted = [match.span() for match in _QUOTED.finditer(message)]
    segments: list[Segment] = []
    start, separator = 0, "end"
    for match in _SEPARATOR.finditer(message):
        if any(left < match.start() < right for left, right in quoted):
            continue
        # A question keeps its mark: it tells a question from a statement.
        end = match.end() if match.lastgroup == "end" else match.start()
        _append(segments, message, start=start, end=end, separator=separator)
        start, separator = match.end(), str(match.lastgroup)
    _append(segments, message, start=start, end=len(message), separator=separator)
    return segments


def _append(segments: list[Segment], message: str, *, start: int, end: int, separator: str) -> None:
    text = message[start:end]
    if any(letter.isalnum() for letter in text):
        begin = start + len(text) - len(text.lstrip())
        segments.append(Segment(separator, begin, end, Clause(message[begin:end].strip())))
