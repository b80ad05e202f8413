"""The questions of a chat: which are open, what was decided, and which tools ask no more.

A question is open until it is decided; it is closed when its turn goes on, decided or not.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, cast

from durable_loop.chat.messages import Decision, Question, Verdict

__all__ = ["Questions", "arguments_to_show", "tool_asked_about", "until_refused"]

# Of one argument, and of all: what a turn may ask at once must fit into one payload.
MAX_VALUE_CHARS: Final = 1_500
MAX_CHARS: Final = 6_000
_UNTIL_REFUSED: Final = re.compile(r"until (.+) may no longer be approved")


def until_refused(tool: str) -> str:
    """Return what the history says of the timer of a question."""
    return f"until {tool} may no longer be approved"


def tool_asked_about(timer: str) -> str | None:
    """Return the tool that a question was about, from what the history says of a timer; None of any other timer."""
    match = _UNTIL_REFUSED.fullmatch(timer)
    return match and match[1]


def arguments_to_show(raw: str) -> tuple[str, bool]:
    """Return the arguments of a call as its tool will read them, and whether something had to be cut.

    A model may hide what it wants to do: behind blank lines, in an argument that comes twice, past what is shown.
    """
    try:
        arguments: Any = json.loads(raw)
    except (ValueError, RecursionError):
        arguments = raw
    if isinstance(arguments, dict):
        pairs = cast("dict[str, Any]", arguments).items()
        lines = [f"{_written(name)}: {_written(value)}" for name, value in pairs]
    else:
        lines = [_written(arguments)]
    shown = "\n".join(_without_middle(line, MAX_VALUE_CHARS) for line in lines)
    whole = "\n".join(lines)
    shown = _without_middle(shown, MAX_CHARS)
    return shown or "no arguments", shown != whole


def _written(value: object) -> str:
    # On one line: JSON escapes what breaks it.
    return json.dumps(value, ensure_ascii=False)


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} [… {len(text) - 2 * half:,} characters left out …] {text[-half:]}"


class Questions:
    """Questions of the turn that runs; the first decision on one counts."""

    def __init__(self, approved: Iterable[str] = ()) -> None:
        self._asked: dict[str, Question] = {}
        self._decided: dict[str, Decision] = {}
        self._approved: dict[str, None] = dict.fromkeys(approved)

    @property
    def open(self) -> tuple[Question, ...]:
        """What the user is asked, in order."""
        return tuple(question for key, question in self._asked.items() if key not in self._decided)

    @property
    def approved(self) -> tuple[str, ...]:
        """The tools that ask no more, in the order in which they were approved."""
        return tuple(self._approved)

    def ask(self, question: Question) -> None:
        """Put a question; one about a tool that asks no more is decided at once."""
        if question.question_id in self._asked:
            raise RuntimeError(f"question {question.question_id} was asked before")
        self._asked[question.question_id] = question
        if question.tool in self._approved:
            self.decide(Decision(question_id=question.question_id, verdict=Verdict.APPROVE))

    def decide(self, decision: Decision) -> None:
        """Take the user's decision; a question that is not open stays as it is."""
        question = self._asked.get(decision.question_id)
        if question is None or decision.question_id in self._decided:
            return
        self._decided[decision.question_id] = decision
        if decision.verdict is Verdict.ALWAYS:
            self._approved[question.tool] = None
            for other in self.open:
                if other.tool == question.tool:
                    self.decide(decision.model_copy(update={"question_id": other.question_id}))

    def reject_all(self, reason: str) -> None:
        """Decide what is open: there will be nobody to ask."""
        for question in self.open:
            self.decide(Decision(question_id=question.question_id, verdict=Verdict.REJECT, reason=reason))

    def decision(self, question_id: str) -> Decision | None:
        """Return what was decided, or None while nothing was."""
        return self._decided.get(question_id)

    def close(self, question_id: str) -> None:
        """Take a question away: it was acted upon, or nobody waits for it any more."""
        self._asked.pop(question_id, None)
        self._decided.pop(question_id, None)
