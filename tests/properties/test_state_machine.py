"""Any order of events against a simple model of a chat: nothing is lost, nothing is answered twice."""

from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from types import TracebackType

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from durable_loop.chat import compaction
from durable_loop.chat.messages import (
    CarriedChat,
    ChatPhase,
    ChatPolicy,
    Decision,
    Failure,
    Item,
    Question,
    Reply,
    Turn,
    TurnOutcome,
    Verdict,
)
from durable_loop.chat.state import ChatState
from durable_loop.errors import ChatBusyError, ChatDrainingError, ChatEndedError
from tests.requirements import requirement

# The same examples in every run, as many as the profile says (`conftest.py`): the folder of examples that failed
# is not needed then.
SETTINGS = settings(derandomize=True, database=None, deadline=None, stateful_step_count=40, report_multiple_bugs=False)
# Finding is enough: the events of a broken chat are not made few to be read. Each was found within 300 examples, for
# each of six seeds.
FINDING = settings(SETTINGS, max_examples=600, phases=[Phase.generate])
POLICY = ChatPolicy(max_waiting_turns=3)
CANCELLED = Failure(kind="TurnCancelledError", message="The turn was cancelled.")
TOOLS = ("delete", "add")
DEADLINE = datetime(2026, 1, 1, tzinfo=UTC)
PLACES = st.integers(min_value=0, max_value=10_000)


class ChatMachine(RuleBasedStateMachine):
    """The model: the turns in the order in which they were accepted, and what became of each."""

    state_class: type[ChatState] = ChatState

    def __init__(self) -> None:
        super().__init__()
        self.state = self.state_class(POLICY)
        self.phase = ChatPhase.OPEN
        self.sent = 0
        self.known: dict[str, Turn] = {}
        self.waiting: list[str] = []
        self.running: str | None = None
        self.outcomes: dict[str, TurnOutcome] = {}
        self.forestalled: set[str] = set()
        self.finished = 0
        # Of the running turn: the tool that each question is about, and what was decided.
        self.asked: dict[str, str] = {}
        self.decided: dict[str, Verdict] = {}
        self.approved: set[str] = set()

    @rule()
    def send(self) -> None:
        """Send a new turn: accepted in an open chat with room, refused with a reason elsewhere.

        One that was cancelled before is over as it comes.
        """
        turn = Turn(turn_id=self._next(), text=f"message {self.sent + 1}")
        self.sent += 1
        refused: dict[ChatPhase, type[Exception]] = {
            ChatPhase.ENDED: ChatEndedError,
            ChatPhase.DRAINING: ChatDrainingError,
        }
        if error := refused.get(self.phase) or (ChatBusyError if len(self.waiting) == 3 else None):
            with pytest.raises(error):
                self.state.accept(turn)
            assert not self.state.knows(turn.turn_id)
        else:
            self.state.accept(turn)
            self.known[turn.turn_id] = turn
            if turn.turn_id in self.forestalled:
                self._cancelled(turn.turn_id)
            else:
                self.waiting.append(turn.turn_id)

    @precondition(lambda self: bool(self.known))
    @rule(place=PLACES)
    def send_again(self, place: int) -> None:
        """Send a known turn: it is taken at any time, in any phase, and runs nothing."""
        self.state.accept(self._known(place))

    @rule()
    def start(self) -> None:
        """Start the oldest that waits: one at a time."""
        if self.running is not None or not self.waiting:
            with pytest.raises(RuntimeError, match="still running" if self.running else "no turn is waiting"):
                self.state.start_next()
        else:
            self.running = self.waiting.pop(0)
            assert self.state.start_next() == self.known[self.running]

    @precondition(lambda self: self.running is not None)
    @rule()
    def answer(self) -> None:
        """With the reply of this turn."""
        turn = self.known[self.running or ""]
        reply = Reply(turn_id=turn.turn_id, text=f"reply to {turn.text}")
        self.state.answer(reply, said(turn, reply.text))
        self._settled(turn, reply=reply)

    @precondition(lambda self: bool(self.known))
    @rule(place=PLACES)
    def answer_another(self, place: int) -> None:
        """Bring a reply to a turn that does not run: it is nobody's."""
        turn = self._known(place)
        if turn.turn_id != self.running:
            with pytest.raises(RuntimeError, match="is not running"):
                self.state.answer(Reply(turn_id=turn.turn_id, text="late"), said(turn, "late"))

    @precondition(lambda self: self.running is not None)
    @rule()
    def fail(self) -> None:
        """End a turn without a reply: it was cancelled while it ran, or failed."""
        failure = Failure(kind="TurnFailedError", message="The model could not answer.")
        self.state.fail(failure)
        self._settled(self.known[self.running or ""], failure=failure)

    @precondition(lambda self: self.running is not None or bool(self.waiting))
    @rule(tool=st.sampled_from(TOOLS), verdict=st.none() | st.sampled_from(Verdict))
    def ask(self, tool: str, verdict: Verdict | None) -> None:
        """Ask about a tool, which may be answered at once.

        What was always allowed is allowed, and an ended chat allows nothing more.
        """
        if self.running is None:
            self.start()
        question_id = f"{self.running}/{len(self.asked)}"
        self.state.ask(
            Question(
                question_id=question_id,
                turn_id=self.running or "",
                about="go",
                tool=tool,
                arguments="no arguments",
                is_cut=False,
                deadline=DEADLINE,
            )
        )
        self.asked[question_id] = tool
        if tool in self.approved:
            self.decided[question_id] = Verdict.APPROVE
        elif self.phase is ChatPhase.ENDED:
            self.decided[question_id] = Verdict.REJECT
        if verdict is not None:
            self.decide(len(self.asked) - 1, verdict)

    @precondition(lambda self: bool(self.asked))
    @rule(place=PLACES, verdict=st.sampled_from(Verdict))
    def decide(self, place: int, verdict: Verdict) -> None:
        """Answer any question: the first answer counts, and "always" answers all about the tool."""
        question_id = list(self.asked)[place % len(self.asked)]
        self.state.questions.decide(Decision(question_id=question_id, verdict=verdict))
        if question_id in self.decided:
            return
        self.decided[question_id] = verdict
        if verdict is Verdict.ALWAYS:
            self.approved.add(self.asked[question_id])
            for other, tool in self.asked.items():
                if tool == self.asked[question_id]:
                    self.decided.setdefault(other, verdict)

    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        """Cancel any turn: one that waits has its outcome at once, the next to come has it then, any other stays."""
        turn_id = [*self.known, self._next()][place % (len(self.known) + 1)]
        self.state.forestall(turn_id, CANCELLED)
        self.state.withdraw(turn_id, CANCELLED)
        if turn_id == self._next():
            self.forestalled.add(turn_id)
            assert not self.state.knows(turn_id)
        elif turn_id in self.waiting:
            self.waiting.remove(turn_id)
            self._cancelled(turn_id)

    @rule()
    def summarise(self) -> None:
        """Between turns and in them."""
        if old := self.state.old_turns():
            self.state.summarise(old, "They counted.")

    @rule()
    def drain(self) -> None:
        """Make ready to continue as new: the history has grown long."""
        self.state.drain()
        if self.phase is ChatPhase.OPEN:
            self.phase = ChatPhase.DRAINING

    @precondition(lambda self: self.phase is ChatPhase.DRAINING)
    @rule()
    def continue_as_new(self) -> None:
        """With all that must be known, once nothing runs or waits."""
        if self.running is not None or self.waiting:
            with pytest.raises(RuntimeError, match="would be lost"):
                self.state.carry()
        else:
            carried = CarriedChat.model_validate_json(self.state.carry().model_dump_json())
            self.state = self.state_class(POLICY, carried)
            self.phase = ChatPhase.OPEN

    @precondition(lambda self: self.phase is not ChatPhase.ENDED)
    @rule()
    def begin_a_new_run(self) -> None:
        """Drain, answer all that waits and continue as new: chance alone brings this together too seldom."""
        self.drain()
        while self.running is not None or self.waiting:
            if self.running is None:
                self.start()
            self.answer()
        self.continue_as_new()

    # Not too early, but for a chat that asks its user: chance alone ends too few of those.
    @precondition(lambda self: self.sent > 3 or len(self.asked) > len(self.decided))
    @rule()
    def end(self) -> None:
        """For good."""
        self.state.end()
        self.phase = ChatPhase.ENDED
        for question_id in self.asked:
            self.decided.setdefault(question_id, Verdict.REJECT)

    @invariant()
    def the_chat_is_what_the_model_says(self) -> None:
        """Every accepted turn waits, runs or has its one outcome, which never changes."""
        assert self.state.phase is self.phase
        assert [turn.turn_id for turn in self.state.waiting] == self.waiting
        assert (self.state.running.turn_id if self.state.running else None) == self.running
        assert {turn_id: self.state.outcome(turn_id) for turn_id in self.known} == {
            turn_id: self.outcomes.get(turn_id) for turn_id in self.known
        }
        assert all(self.state.knows(turn_id) for turn_id in self.known)
        assert self.state.turns == self.finished
        assert compaction.turns_in(self.state.transcript) == self.finished

    @invariant()
    def what_is_asked_is_what_the_model_says(self) -> None:
        """Every question is open or has its one decision."""
        questions = self.state.questions
        assert [question.question_id for question in questions.open] == [
            question_id for question_id in self.asked if question_id not in self.decided
        ]
        decisions = {question_id: questions.decision(question_id) for question_id in self.asked}
        assert {key: decision.verdict for key, decision in decisions.items() if decision} == self.decided
        assert set(questions.approved) == self.approved

    def _next(self) -> str:
        return f"turn-{self.sent + 1}"

    def _known(self, place: int) -> Turn:
        return list(self.known.values())[place % len(self.known)]

    def _cancelled(self, turn_id: str) -> None:
        said = self.known[turn_id].text
        self.outcomes[turn_id] = TurnOutcome(turn_id=turn_id, said=said, failure=CANCELLED)

    def _settled(self, turn: Turn, *, reply: Reply | None = None, failure: Failure | None = None) -> None:
        self.outcomes[turn.turn_id] = TurnOutcome(turn_id=turn.turn_id, said=turn.text, reply=reply, failure=failure)
        self.running = None
        self.finished += 1
        for question_id in self.asked:
            self.state.questions.close(question_id)
        self.asked, self.decided = {}, {}


def said(turn: Turn, text: str) -> list[Item]:
    return [{"role": "user", "content": turn.text}, {"role": "assistant", "content": text}]


class ForgetsOutcomes(ChatState):
    """Runs an old turn again in a new run."""

    def carry(self) -> CarriedChat:
        """Do it wrong."""
        return super().carry().model_copy(update={"outcomes": ()})


class ForgetsTheTranscript(ChatState):
    """Has no memory after it continued as new."""

    def carry(self) -> CarriedChat:
        """Do it wrong."""
        return super().carry().model_copy(update={"transcript": ()})


class TakesTheNewest(ChatState):
    """Answers out of order."""

    def start_next(self) -> Turn:
        """Do it wrong."""
        if self.running is None:
            self._waiting.rotate(1)
        return super().start_next()


class RunsAgain(ChatState):
    """Takes a settled turn for a new one."""

    def knows(self, turn_id: str) -> bool:
        """Do it wrong."""
        return super().knows(turn_id) and self.outcome(turn_id) is None


class RunsWhatWasCancelled(ChatState):
    """Forgets that a turn was cancelled before it came."""

    def forestall(self, turn_id: str, failure: Failure) -> None:
        """Do it wrong."""


class ForgetsWhatWasCancelled(ChatState):
    """Does so in the next run."""

    def carry(self) -> CarriedChat:
        """Do it wrong."""
        return super().carry().model_copy(update={"forestalled": {}})


class CancelsAgain(ChatState):
    """Takes a cancel of a turn that is over for one of a turn to come."""

    def forestall(self, turn_id: str, failure: Failure) -> None:
        """Do it wrong."""
        self._outcomes.pop(turn_id, None)
        super().forestall(turn_id, failure)


class AnswersAnyone(ChatState):
    """Gives a reply to whichever turn is running."""

    def _finish(self, turn_id: str, *, reply: Reply | None = None, failure: Failure | None = None) -> Turn:
        """Do it wrong."""
        return super()._finish(self.running.turn_id if self.running else turn_id, reply=reply, failure=failure)


class AsksAgain(ChatState):
    """Forgets in the next run what was always allowed."""

    def carry(self) -> CarriedChat:
        """Do it wrong."""
        return super().carry().model_copy(update={"approved": ()})


class AllowsWhenEnded(ChatState):
    """Leaves questions open that nobody will answer."""

    def end(self) -> None:
        """Do it wrong."""
        self.phase = ChatPhase.ENDED


class ForgetsWhatWaits(ChatState):
    """Loses accepted turns when it continues as new."""

    def carry(self) -> CarriedChat:
        """Do it wrong."""
        if self.running is None:
            self._waiting.clear()
        return super().carry()


class OpensAgain(ChatState):
    """Takes messages after it was ended."""

    def drain(self) -> None:
        """Do it wrong."""
        self.phase = ChatPhase.DRAINING


def run(state: type[ChatState], how: settings = SETTINGS) -> None:
    """Play the examples; a machine that does not hold fails here."""

    class Machine(ChatMachine):
        state_class = state

    run_state_machine_as_test(Machine, settings=how)  # pyright: ignore[reportUnknownMemberType]


@requirement("durability.order")
def test_whatever_happens_every_accepted_turn_has_one_outcome() -> None:
    """Send, send again, ask, decide, cancel, fail, summarise, continue as new and end, in any order. (ours)"""
    run(ChatState)


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        (ForgetsOutcomes, "self.state.outcome(turn_id) for turn_id in self.known"),
        (ForgetsTheTranscript, "turns_in(self.state.transcript) == self.finished"),
        (TakesTheNewest, "self.state.start_next() == self.known[self.running]"),
        (RunsAgain, "all(self.state.knows(turn_id) for turn_id in self.known)"),
        (RunsWhatWasCancelled, "turn.turn_id for turn in self.state.waiting"),
        (ForgetsWhatWasCancelled, "turn.turn_id for turn in self.state.waiting"),
        (CancelsAgain, "self.state.outcome(turn_id) for turn_id in self.known"),
        (AnswersAnyone, "is not running"),
        (AsksAgain, "set(questions.approved) == self.approved"),
        (AllowsWhenEnded, "question.question_id for question in questions.open"),
        (ForgetsWhatWaits, "would be lost"),
        (OpensAgain, "self.state.phase is self.phase"),
    ],
)
def test_a_chat_that_loses_or_repeats_a_turn_is_found(broken: type[ChatState], where: str) -> None:
    """The teeth: each of these breaks one promise, and it is the check of that promise that fails. (ours)"""
    with pytest.raises((AssertionError, pytest.fail.Exception)) as found:
        run(broken, FINDING)
    assert where in failed_check(found.tb)


class Crashes(ChatState):
    """Breaks no promise: it does not run at all."""

    def accept(self, turn: Turn) -> None:  # noqa: ARG002 - the state's signature
        """Do it wrong."""
        raise RuntimeError("no such thing")


def test_a_chat_that_merely_crashes_does_not_count_as_found() -> None:
    """Its error is no failed check, which is what each row above asks for. (ours)"""
    with pytest.raises(RuntimeError, match="no such thing"):
        run(Crashes, FINDING)


def failed_check(failed: TracebackType) -> str:
    """Return the line of the machine that failed: the last of this file in a traceback."""
    *_, check = (frame for frame in extract_tb(failed) if Path(frame.filename) == Path(__file__))
    return check.line or ""
