"""The chat as a state machine. Every transition lives here; nothing here awaits.

Rule: a turn is known from the moment it is accepted until its outcome falls off the end of
the bounded list, and it has one outcome. An illegal transition raises and changes nothing.

    turn:   accept ──▶ waiting ──start──▶ running ──settle──▶ settled
               │          └───────────────settle (cancelled)─────▶┘
               └─settle (cancelled before it came)───────────────▶┘
            while it runs it may ask the user: `questions`
    chat:   OPEN ──drain──▶ DRAINING (continues as new)
            OPEN, DRAINING ──end──▶ ENDED

What the next run starts from is bounded here: a turn is cut when it is committed, the transcript
is brought back under its budget between turns, and the outcomes are bounded in number and size.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from durable_loop.chat import compaction
from durable_loop.chat.messages import (
    CarriedChat,
    ChatPhase,
    ChatPolicy,
    Failure,
    Item,
    Question,
    Reply,
    Turn,
    TurnOutcome,
)
from durable_loop.chat.questions import Questions
from durable_loop.errors import ChatBusyError, ChatDrainingError, ChatEndedError, MessageRefusedError

__all__ = ["ChatState"]

# How many settled turns the chat can answer again without running them, and how many bytes these may have.
REMEMBERED_OUTCOMES = 100
REMEMBERED_BYTES = 400_000
# How many turns that have not come yet can be known as cancelled.
FORESTALLED_TURNS = 100
# Of what the user said, as others see it.
SAID_CHARS = 2_000
TITLE_CHARS = 60
# Why a question is answered with no.
ENDED = "the chat was ended"
# Parts of the transcript's budget: one turn, the turns that stay verbatim, a summary.
TURN_SHARE = 2
KEPT_SHARE = 4
SUMMARY_SHARE = 8
# While no summary can be made, the transcript may have this much of its budget.
TOO_LONG = 1.5


class ChatState:
    """Turns and transcript of one chat."""

    def __init__(self, policy: ChatPolicy, carried: CarriedChat | None = None) -> None:
        carried = carried or CarriedChat()
        self.policy = policy
        self.phase = ChatPhase.OPEN
        self.transcript: list[Item] = list(carried.transcript)
        self.turns = carried.turns
        self.tokens = carried.tokens
        self.title = carried.title
        self.running: Turn | None = None
        self.questions = Questions(carried.approved)
        self._waiting: deque[Turn] = deque()
        self._forestalled: dict[str, Failure] = dict(carried.forestalled)
        self._outcomes: dict[str, TurnOutcome] = {outcome.turn_id: outcome for outcome in carried.outcomes}

    @property
    def waiting(self) -> tuple[Turn, ...]:
        """Accepted turns that have not started, in order."""
        return tuple(self._waiting)

    @property
    def idle(self) -> bool:
        """No turn runs and none waits."""
        return self.running is None and not self._waiting

    def knows(self, turn_id: str) -> bool:
        """Whether this turn was accepted before."""
        return (
            turn_id in self._outcomes
            or (self.running is not None and self.running.turn_id == turn_id)
            or any(turn.turn_id == turn_id for turn in self._waiting)
        )

    def settled(self, *, after: str | None = None) -> tuple[TurnOutcome, ...]:
        """Return the turns that are over, in their order: those after one of them, or all that are remembered."""
        known = list(self._outcomes)
        return tuple(self._outcomes.values())[known.index(after) + 1 if after in self._outcomes else 0 :]

    def outcome(self, turn_id: str) -> TurnOutcome | None:
        """Return what the turn came to, or None while it has not."""
        return self._outcomes.get(turn_id)

    def check(self, turn: Turn) -> None:
        """Refuse what `accept` would refuse.

        Raises:
            MessageRefusedError: blank or too long.
            ChatEndedError: the chat takes no more messages.
            ChatDrainingError: not now; the next run of the chat will take it.
            ChatBusyError: too many turns are waiting.
        """
        if self.knows(turn.turn_id):
            return
        if not turn.text.strip():
            raise MessageRefusedError("The message is blank: say something.")
        if len(turn.text) > self.policy.max_message_chars:
            raise MessageRefusedError(
                f"The message has {len(turn.text):,} characters; this chat takes {self.policy.max_message_chars:,}."
            )
        if self.phase is ChatPhase.ENDED:
            raise ChatEndedError("This chat was ended; start a new one.")
        if self.phase is ChatPhase.DRAINING:
            raise ChatDrainingError("The chat is about to continue in a new run: send the message again.")
        if len(self._waiting) >= self.policy.max_waiting_turns:
            raise ChatBusyError(f"{len(self._waiting)} messages are waiting already: send it again in a moment.")

    def accept(self, turn: Turn) -> None:
        """Queue a turn, or settle one that was forestalled. A turn that is known is the same turn: nothing happens."""
        self.check(turn)
        if self.knows(turn.turn_id):
            return
        if (failure := self._forestalled.pop(turn.turn_id, None)) is not None:
            self._remember(turn, failure=failure)
        else:
            self._waiting.append(turn)

    def start_next(self) -> Turn:
        """Make the oldest waiting turn the running one."""
        if self.running is not None:
            raise RuntimeError(f"turn {self.running.turn_id} is still running")
        if not self._waiting:
            raise RuntimeError("no turn is waiting")
        self.running = self._waiting.popleft()
        if self.title is None:
            self.title = " ".join(self.running.text.split())[:TITLE_CHARS]
        return self.running

    def ask(self, question: Question) -> None:
        """Have the running turn wait for the user; a chat that was ended has nobody to ask."""
        if self.running is None or self.running.turn_id != question.turn_id:
            raise RuntimeError(f"turn {question.turn_id} is not running")
        self.questions.ask(question)
        if self.phase is ChatPhase.ENDED:
            self.questions.reject_all(ENDED)

    def answer(self, reply: Reply, items: Sequence[Item]) -> None:
        """Settle the running turn with its reply and commit its items, from the user's message on."""
        self._finish(reply.turn_id, reply=reply)
        self._commit(items)

    def fail(self, failure: Failure, done: Iterable[str] = ()) -> None:
        """Settle the running turn without a reply.

        The transcript keeps what the user said and one line of what already ran, so that
        the model of the next turn knows.
        """
        if self.running is None:
            raise RuntimeError("no turn is running")
        turn = self._finish(self.running.turn_id, failure=failure)
        ran = "; ".join(done) or "nothing"
        note = f"[This turn has no answer: {failure.message} What already ran: {ran}.]"
        self._commit([{"role": "user", "content": turn.text}, {"role": "assistant", "content": note}])

    @property
    def is_long(self) -> bool:
        """Whether the transcript is past its budget."""
        return compaction.tokens(self.transcript) > self.policy.max_transcript_tokens

    @property
    def is_too_long(self) -> bool:
        """Whether it is so far past that old turns have to go, with a summary or without one."""
        return compaction.tokens(self.transcript) > self.policy.max_transcript_tokens * TOO_LONG

    def old_turns(self) -> list[Item]:
        """Return what a summary would take the place of; nothing where there is no gain in one."""
        keep = self.policy.max_transcript_tokens // KEPT_SHARE if self.is_long else 0
        old, _ = compaction.split(self.transcript, keep=keep)
        is_summary_alone = len(old) == 1 and compaction.summarised_turns(old) > 0
        return [] if is_summary_alone else old

    def summarise(self, old: Sequence[Item], summary: str | None) -> None:
        """Put a summary in the place of the oldest turns; None: they are left out, and a line says so."""
        if not old or list(old) != self.transcript[: len(old)]:
            raise RuntimeError("these are not the chat's oldest turns")
        turns = compaction.turns_in(old)
        most = self.policy.max_transcript_tokens * compaction.BYTES_PER_TOKEN // SUMMARY_SHARE
        instead = (
            compaction.forgotten(turns=turns)
            if summary is None
            else compaction.summary(compaction.shortened(summary, most), turns=turns)
        )
        self.transcript = [instead, *self.transcript[len(old) :]]

    def withdraw(self, turn_id: str, failure: Failure) -> None:
        """Settle a waiting turn that will not run. One that does not wait: nothing happens."""
        for turn in self._waiting:
            if turn.turn_id == turn_id:
                self._waiting.remove(turn)
                self._remember(turn, failure=failure)
                return

    def forestall(self, turn_id: str, failure: Failure) -> None:
        """Settle a turn that has not come yet, when it comes. One that is known stays as it is."""
        self._forestalled[turn_id] = failure
        if len(self._forestalled) > FORESTALLED_TURNS:
            del self._forestalled[next(iter(self._forestalled))]

    def drain(self) -> None:
        """Take no new turns until the chat has continued as new."""
        if self.phase is ChatPhase.OPEN:
            self.phase = ChatPhase.DRAINING

    def end(self) -> None:
        """Take no new turns, ever, and ask nothing more."""
        self.phase = ChatPhase.ENDED
        self.questions.reject_all(ENDED)

    def carry(self) -> CarriedChat:
        """Return what the next run starts from."""
        if not self.idle:
            raise RuntimeError("a turn is running or waiting: it would be lost")
        return CarriedChat(
            transcript=tuple(self.transcript),
            outcomes=tuple(self._outcomes.values()),
            turns=self.turns,
            tokens=self.tokens,
            title=self.title,
            approved=self.questions.approved,
            forestalled=self._forestalled,
        )

    def _commit(self, items: Sequence[Item]) -> None:
        self.transcript += compaction.cut_turn(items, keep=self.policy.max_transcript_tokens // TURN_SHARE)

    def _finish(self, turn_id: str, *, reply: Reply | None = None, failure: Failure | None = None) -> Turn:
        turn = self.running
        if turn is None or turn.turn_id != turn_id:
            raise RuntimeError(f"turn {turn_id} is not running")
        self.running = None
        self.turns += 1
        self._remember(turn, reply=reply, failure=failure)
        return turn

    def _remember(self, turn: Turn, *, reply: Reply | None = None, failure: Failure | None = None) -> None:
        said = compaction.shortened(turn.text, SAID_CHARS)
        self._outcomes[turn.turn_id] = TurnOutcome(turn_id=turn.turn_id, said=said, reply=reply, failure=failure)
        sizes = {turn_id: len(known.model_dump_json()) for turn_id, known in self._outcomes.items()}
        while len(sizes) > 1 and (len(sizes) > REMEMBERED_OUTCOMES or sum(sizes.values()) > REMEMBERED_BYTES):
            oldest = next(iter(sizes))
            del sizes[oldest], self._outcomes[oldest]
