"""The questions of a chat: which are open, what was decided, and which tools ask no more.

question:  ask ──▶ open ──decide──▶ decided ──close──▶ gone
                    └────────────────close─────────────▶┘
"""

from collections.abc import Iterable

from durable_loop.chat.messages import Decision, Question, Verdict

__all__ = ["Questions"]


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
            self._decided[question.question_id] = Decision(question_id=question.question_id, verdict=Verdict.APPROVE)

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
