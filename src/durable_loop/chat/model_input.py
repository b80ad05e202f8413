"""Model input by reference, so that a history grows with what is said and not with its square.

The Agents plugin writes the whole input of each model call into the history. Here the input
stays in workflow state; the history holds a reference (number, size, hash), and the worker
that makes the call fetches the text by a query to the chat's run. Queries leave no events, and
replay rebuilds the input from what the history holds anyway.
"""

import hashlib
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self, cast

import pydantic_core

from durable_loop.chat.messages import Item, ModelInputPage

__all__ = ["ModelInputReference", "ModelInputShelf", "items_from_json", "items_to_json"]

_PREFIX: Final = "durable-loop/model-input:"
_REFERENCE: Final = re.compile(rf"{_PREFIX}([0-9]+)/([0-9]+)/([0-9a-f]{{64}})")

# A query result is one payload, of 2 MiB at most; a character may take four bytes and JSON escapes.
PAGE_CHARS: Final = 300_000


def items_to_json(items: object) -> str:
    """Write model input as JSON text; it may hold pydantic objects (lazy ones included)."""
    return pydantic_core.to_json(pydantic_core.to_jsonable_python(items)).decode()


def items_from_json(text: str) -> list[Item]:
    """Read what `items_to_json` wrote."""
    return cast("list[Item]", pydantic_core.from_json(text))


@dataclass(frozen=True)
class ModelInputReference:
    """Names the input of one model call of one run."""

    call: int
    pages: int
    sha256: str

    @classmethod
    def find(cls, items: list[Item]) -> Self | None:
        """Return the reference that stands in for the input, or None where the input is itself there."""
        content = items[0].get("content") if len(items) == 1 else None
        written = _REFERENCE.fullmatch(content) if isinstance(content, str) else None
        if written is None:
            return None
        call, pages, sha256 = written.groups()
        return cls(call=int(call), pages=int(pages), sha256=sha256)

    def as_items(self) -> list[Item]:
        """Return what the history holds instead of the input."""
        return [{"role": "user", "content": f"{_PREFIX}{self.call}/{self.pages}/{self.sha256}"}]

    def matches(self, text: str) -> bool:
        """Whether `text` is the input that was meant."""
        return hashlib.sha256(text.encode()).hexdigest() == self.sha256


class ModelInputShelf:
    """The inputs of a run's model calls. A chat makes one call at a time, so it keeps the newest.

    What was said before is in front of every input. Its text and hash are kept from call to call: written anew
    each time, a long transcript would be most of what a replay has to do.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._start()
        self._new = "]"

    def keep(self, said: Sequence[Item], new: Sequence[object]) -> ModelInputReference:
        """Keep the input of the next model call, and return its reference.

        It is what was `said` before, items that are never changed in place, and what is `new`.
        """
        self.calls += 1
        self._continue(said)
        opening = "," if said and new else ""
        self._new = opening + items_to_json(new).removeprefix("[")
        sha256 = self._sha256.copy()
        sha256.update(self._new.encode())
        chars = len(self._text) + len(self._new)
        return ModelInputReference(call=self.calls, pages=-(-chars // PAGE_CHARS), sha256=sha256.hexdigest())

    def page(self, asked: ModelInputPage) -> str | None:
        """Return a page of a call's input, or None when that call is over."""
        if asked.call != self.calls:
            return None
        return (self._text + self._new)[asked.page * PAGE_CHARS : (asked.page + 1) * PAGE_CHARS]

    def _start(self) -> None:
        self._said: list[Item] = []
        self._text = "["
        self._sha256 = hashlib.sha256(b"[")

    def _continue(self, said: Sequence[Item]) -> None:
        if len(said) < len(self._said) or not all(map(operator.is_, self._said, said)):
            self._start()  # a summary is in the place of the oldest turns, or a turn has failed
        more = said[len(self._said) :]
        if not more:
            return
        opening = "," if self._said else ""
        text = opening + items_to_json(more).removeprefix("[").removesuffix("]")
        self._said += more
        self._text += text
        self._sha256.update(text.encode())
