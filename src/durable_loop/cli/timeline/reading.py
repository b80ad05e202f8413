"""From the events of a chat's runs to its timeline. No worker is asked, and nothing is replayed.

Events do not name the turn that they belong to. But a chat runs one turn at a time, in the order in which it accepted
them: a turn begins with the first activity while none runs, and it is over with an answer of the model that asks for
no tool, with a model call that fails, with its cancellation, or with the update that tells its outcome.

A gap is a time in which nobody can have worked, at most:
- an activity whose worker stopped sending heartbeats, until its last attempt began;
- an activity or a task of the workflow that nobody took for `PATIENCE`: a worker that is there takes it at once;
- a task of the workflow that timed out or failed, until one was completed.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from google.protobuf.json_format import ParseError

from durable_loop import names
from durable_loop.chat.messages import ChatInput, Decision, OpenQuestions, Reply, TranscriptLine, Turn
from durable_loop.chat.questions import tool_asked_about
from durable_loop.chat.transcript import lines
from durable_loop.cli.timeline.activities import answer_in, asked_of, given_by, sentence_of, tokens_of, value_in
from durable_loop.cli.timeline.so_far import Place, QuestionsSoFar, Row, TurnSoFar
from durable_loop.cli.timeline.value import Kind, Outcome, Step, Timeline, Tokens
from durable_loop.errors import SettingsError, TurnCancelledError
from durable_loop.testing.histories.events import attributes_of, kind_of
from durable_loop.testing.histories.history import HAD_A_MESSAGE, RecordedHistory

__all__ = ["PATIENCE", "timeline"]

# Longer than a busy worker takes to come to a task, and shorter than any timeout that tells of a dead one.
PATIENCE: Final = timedelta(seconds=5)

# Of a gap: what waited, and why.
THE_CHAT: Final = "the chat"
GONE: Final = "its worker was gone"
NOT_TAKEN: Final = "no worker took it"

_ENDS: Final[Mapping[str, str]] = {
    "workflow execution completed": "ended",
    "workflow execution canceled": "cancelled",
    "workflow execution terminated": "terminated",
    "workflow execution failed": "failed",
    "workflow execution timed out": "timed out",
}
_SIGNALS: Final[Mapping[str, str]] = {
    names.SIGNAL_END_CHAT: "told to end",
    names.SIGNAL_COMPACT: "told to summarise",
    names.SIGNAL_HAND_OVER: "told of a new build",
}

# What is particular to an event of one kind.
Said = Mapping[str, Any]


def timeline(runs: Sequence[RecordedHistory], *, now: datetime | None = None) -> Timeline:
    """Return the timeline of a chat from its runs, the first one first; `now` where they are as of now.

    Raises:
        SettingsError: they are not those of a chat, or cannot be read; says at which event.
    """
    reader = _Reader()
    for run in runs:
        if run.workflow_type != names.WORKFLOW_CHAT:
            raise SettingsError(f"{run.workflow_id} is no chat: its history is one of {run.workflow_type}.")
        for number, event in enumerate(run.events, start=1):
            try:
                reader.read(event)
            except (ValueError, LookupError, TypeError, AttributeError, ParseError) as error:
                raise SettingsError(
                    f"The history of {run.workflow_id} cannot be read as that of a chat, at its event {number}: "
                    f"{type(error).__name__}."
                ) from error
    if now is not None:
        reader.wait_until(now)
    return reader.told(runs[0].workflow_id, runs=len(runs))


class _Reader:
    """Takes one event after the other."""

    def __init__(self) -> None:
        self._parts: list[TurnSoFar | Row] = []
        self._turns: dict[str, TurnSoFar] = {}
        self._waiting: deque[TurnSoFar] = deque()
        self._turn: TurnSoFar | None = None
        self._title: str | None = None
        self._model = ""
        self._state = ""
        self._before = 0
        self._remembered: tuple[TranscriptLine, ...] = ()
        self._over_before: frozenset[str] = frozenset()
        self._takes: Mapping[str, Callable[[Said], None]] = {
            "workflow execution started": self._started,
            "workflow properties modified": self._titled,
            "workflow execution update accepted": self._accepted,
            "workflow execution update completed": self._answered,
            "workflow execution signaled": self._signalled,
            "workflow execution continued as new": self._carried,
            "activity task scheduled": self._scheduled,
            "activity task started": self._taken,
            "activity task completed": self._completed,
            "activity task failed": self._failed,
            "activity task timed out": self._failed,
            "activity task canceled": self._cancelled,
            "timer started": self._timer_started,
            "timer canceled": self._timer_canceled,
            "timer fired": self._timer_fired,
            "workflow task scheduled": self._task_scheduled,
            "workflow task started": self._task_started,
            "workflow task timed out": self._task_timed_out,
            "workflow task failed": self._task_failed,
            "workflow task completed": self._task_completed,
        }
        self._begin_run()

    def _begin_run(self) -> None:
        """Forget what has its number in one run only."""
        self._updates: dict[str, str] = {}
        self._activities: dict[str, Place] = {}
        self._questions = QuestionsSoFar()
        self._task_since: datetime | None = None
        self._task_taken: datetime | None = None
        self._stalled = ""

    def read(self, event: Mapping[str, Any]) -> None:
        """Take an event."""
        self._number, self._at = event["eventId"], datetime.fromisoformat(event["eventTime"])
        self._summary = value_in({"payloads": [summary]}) if (summary := _summary_of(event)) else ""
        kind, said = kind_of(event), attributes_of(event)
        if kind in _ENDS:
            self._ended(_ENDS[kind], said)
        elif kind in self._takes:
            self._takes[kind](said)

    def wait_until(self, now: datetime) -> None:
        """Take that nothing more has happened until now."""
        since = self._task_since
        if since is not None and now - since > PATIENCE:
            self._rows().append(Row(Step(Kind.GAP, THE_CHAT, since, gave=self._stalled or "no worker takes it")))

    def told(self, chat_id: str, *, runs: int) -> Timeline:
        """Return what was read."""
        parts = (*self._parts, *self._waiting)
        return Timeline(
            chat_id=chat_id,
            title=self._title,
            model=self._model,
            state=self._state,
            runs=runs,
            turns_before=self._before,
            remembered=self._remembered,
            parts=tuple(part.told() if isinstance(part, TurnSoFar) else part.step for part in parts),
        )

    def _rows(self) -> list[Any]:
        """Return where a step belongs now: to the turn that runs, else between turns."""
        return self._turn.rows if self._turn is not None else self._parts

    def _note(self, words: str, more: str = "") -> None:
        self._rows().append(Row(Step(Kind.CHAT, words, self._at, self._at, Outcome.DONE, gave=more)))

    def _started(self, said: Said) -> None:
        chat = ChatInput.model_validate(value_in(said["input"]))
        self._begin_run()
        if self._model:
            self._note("goes on in a new run")
        else:
            self._before, self._remembered = chat.carried.turns, tuple(lines(chat.carried.transcript))
            self._over_before = frozenset(outcome.turn_id for outcome in chat.carried.outcomes)
        self._model, self._state = chat.model, "open"
        self._title = chat.carried.title or self._title

    def _titled(self, said: Said) -> None:
        fields = said["upsertedMemo"]["fields"]
        if names.MEMO_TITLE in fields:
            self._title = value_in({"payloads": [fields[names.MEMO_TITLE]]})

    def _ended(self, state: str, said: Said) -> None:
        self._state = state
        self._note(state, sentence_of(said["failure"]) if "failure" in said else said.get("reason", ""))

    def _accepted(self, said: Said) -> None:
        request = said["acceptedRequest"]["input"]
        given = value_in(request.get("args"))
        if request["name"] != names.UPDATE_SEND_MESSAGE:  # it waits for a turn that was accepted before
            self._updates[self._number] = str(given)
            return
        message = Turn.model_validate(given)
        self._updates[self._number] = message.turn_id
        if message.turn_id not in self._turns and message.turn_id not in self._over_before:
            turn = TurnSoFar(self._before + len(self._turns) + 1, message, self._at)
            self._turns[message.turn_id] = turn
            self._waiting.append(turn)

    def _answered(self, said: Said) -> None:
        outcome = said["outcome"]
        if failure := outcome.get("failure"):
            kind = failure.get("applicationFailureInfo", {}).get("type", "")
            self._fail(self._updates[said["acceptedEventId"]], kind, failure.get("message", ""))
            return
        given = value_in(outcome["success"])
        if "questions" in given:
            self._questions.name(OpenQuestions.model_validate(given).questions)
        else:
            self._reply(Reply.model_validate(given))

    def _carried(self, said: Said) -> None:
        """Take the outcomes that nobody waited for."""
        for outcome in ChatInput.model_validate(value_in(said["input"])).carried.outcomes:
            if outcome.reply is not None:
                self._reply(outcome.reply)
            elif outcome.failure is not None:
                self._fail(outcome.turn_id, outcome.failure.kind, outcome.failure.message)

    def _reply(self, reply: Reply) -> None:
        if (turn := self._turns.get(reply.turn_id)) is not None:
            turn.notes = reply.notes
            self._settle(turn, Outcome.DONE, reply.text)

    def _fail(self, turn_id: str, kind: str, message: str) -> None:
        if (turn := self._turns.get(turn_id)) is not None:
            outcome = Outcome.CANCELLED if kind == TurnCancelledError.__name__ else Outcome.FAILED
            self._settle(turn, outcome, message)

    def _settle(self, turn: TurnSoFar, outcome: Outcome, answer: str = "") -> None:
        turn.settle(self._at, outcome, answer)
        if turn is self._turn:
            self._turn = None
        elif turn in self._waiting:
            self._waiting.remove(turn)
            self._parts.append(turn)

    def _signalled(self, said: Said) -> None:
        name, given = said["signalName"], value_in(said.get("input"))
        if name == names.SIGNAL_CANCEL_TURN:
            turn = self._turns.get(str(given))
            if turn is not None and turn.outcome is None:
                self._settle(turn, Outcome.CANCELLED)
        elif name == names.SIGNAL_DECIDE:
            self._questions.decide(Decision.model_validate(given))
        elif name in _SIGNALS:
            self._note(_SIGNALS[name])

    def _scheduled(self, said: Said) -> None:
        kind, name, asked = asked_of(said["activityType"]["name"], value_in(said.get("input")))
        turn = self._turn
        if turn is not None and self._waiting and kind is Kind.MCP_LIST and turn.has_called_model:
            self._settle(turn, Outcome.FAILED)  # the next turn lists its tools: this one had too many model calls
        if self._turn is None and self._waiting and kind is not Kind.SUMMARY:
            self._turn = self._waiting.popleft()
            self._turn.begun = True
            self._parts.append(self._turn)
        most = said.get("retryPolicy", {}).get("maximumAttempts", 0)
        row, rows = Row(Step(kind, name, self._at, asked=asked, max_attempts=most)), self._rows()
        rows.append(row)
        self._activities[self._number] = Place(row, rows, self._turn)

    def _taken(self, said: Said) -> None:
        place = self._activities[said["scheduledEventId"]]
        attempt, failure = said.get("attempt", 1), said.get("lastFailure")
        place.row.becomes(attempts=attempt, last_failure=sentence_of(failure) if failure else "")
        if failure and _timeout_of(failure) == "HEARTBEAT":
            self._gap(place, GONE)
        elif attempt == 1 and self._at - place.row.step.start > PATIENCE:
            self._gap(place, NOT_TAKEN)

    def _completed(self, said: Said) -> None:
        place, result = self._activities[said["scheduledEventId"]], value_in(said.get("result"))
        kind = place.row.step.kind
        gave, outcome = given_by(kind, result)
        tokens = tokens_of(result) if kind in {Kind.MODEL, Kind.SUMMARY} else Tokens()
        said_now = tuple(lines(result["output"])) if kind is Kind.MODEL else ()
        place.row.becomes(end=self._at, outcome=outcome, gave=gave, tokens=tokens, said=said_now)
        answer = answer_in(result) if kind is Kind.MODEL else None
        if answer is not None and place.turn is not None and place.turn.outcome is None:
            self._settle(place.turn, Outcome.DONE if answer.strip() else Outcome.FAILED, answer)

    def _failed(self, said: Said) -> None:
        place, why = self._activities[said["scheduledEventId"]], sentence_of(said["failure"])
        place.row.becomes(end=self._at, outcome=Outcome.FAILED, gave=why)
        timeout = _timeout_of(said["failure"])
        if timeout in {"HEARTBEAT", "SCHEDULE_TO_START"}:
            self._gap(place, GONE if timeout == "HEARTBEAT" else NOT_TAKEN)
        if place.row.step.kind is Kind.MODEL and place.turn is not None and place.turn.outcome is None:
            self._settle(place.turn, Outcome.FAILED, why)

    def _cancelled(self, said: Said) -> None:
        self._activities[said["scheduledEventId"]].row.becomes(end=self._at, outcome=Outcome.CANCELLED)

    def _gap(self, place: Place, why: str) -> None:
        step = place.row.step
        place.rows.append(Row(Step(Kind.GAP, step.name, step.start, self._at, Outcome.DONE, gave=why)))

    def _timer_started(self, said: Said) -> None:
        tool = tool_asked_about(str(self._summary))
        if tool is not None and self._turn is not None:
            self._questions.ask(said["timerId"], self._turn, tool, self._at)

    def _timer_canceled(self, said: Said) -> None:
        self._questions.close(said["timerId"], self._at, in_time=True)

    def _timer_fired(self, said: Said) -> None:
        self._questions.close(said["timerId"], self._at, in_time=False)

    def _task_scheduled(self, _said: Said) -> None:
        self._task_since = self._task_since or self._at

    def _task_started(self, _said: Said) -> None:
        self._task_taken = self._at

    def _task_timed_out(self, _said: Said) -> None:
        self._stalled = self._stalled or GONE

    def _task_failed(self, said: Said) -> None:
        if said["cause"] != HAD_A_MESSAGE:
            self._stalled = f"its worker could not go on: {sentence_of(said.get('failure', {}))}"

    def _task_completed(self, _said: Said) -> None:
        since, taken = self._task_since, self._task_taken
        if since is not None and taken is not None and (self._stalled or taken - since > PATIENCE):
            gap = Step(Kind.GAP, THE_CHAT, since, taken, Outcome.DONE, gave=self._stalled or NOT_TAKEN)
            self._rows().append(Row(gap))
        self._task_since, self._task_taken, self._stalled = None, None, ""


def _summary_of(event: Mapping[str, Any]) -> Any:
    return event.get("userMetadata", {}).get("summary")


def _timeout_of(failure: Mapping[str, Any]) -> str:
    """Return which timeout a failure is; empty where it is another one."""
    return failure.get("timeoutFailureInfo", {}).get("timeoutType", "").removeprefix("TIMEOUT_TYPE_")
