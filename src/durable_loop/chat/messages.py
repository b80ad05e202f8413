"""What crosses the chat's boundary: one frozen model in, one out.

New fields get defaults: histories recorded before them must still decode.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NewType

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "CarriedChat",
    "ChatInput",
    "ChatPhase",
    "ChatPolicy",
    "ChatStatus",
    "Conversation",
    "Decision",
    "Failure",
    "ListedTool",
    "ModelInputPage",
    "OpenQuestions",
    "PartialText",
    "Question",
    "Reply",
    "ToolCall",
    "TranscriptLine",
    "Turn",
    "TurnOutcome",
    "UnderWay",
    "Verdict",
]

# One entry of the transcript as the Agents SDK writes it (an OpenAI "response input item"): plain JSON.
Item = dict[str, Any]

TurnId = NewType("TurnId", str)

# A turn id becomes part of other systems' ids, so it may hold nothing that means something there.
TURN_ID_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class ChatPolicy(_Message):
    """The limits of a chat, fixed when it starts: workflow code reads no settings."""

    max_message_chars: int = 32_000
    max_waiting_turns: int = 6
    max_model_calls: int = 50
    # Between turns the chat continues as new beyond these.
    max_run_events: int = 1_500
    max_run_bytes: int = 4_000_000
    # A turn that fills its run beyond these fails. A worker that takes the chat over replays some 2 ms an event
    # (`benchmarks/replay.py`) and has 10 s for it, Temporal's workflow task timeout; the server ends a workflow
    # at 50,000 events or 50 MB.
    full_run_events: int = 3_000
    full_run_bytes: int = 6_000_000
    max_transcript_tokens: int = 100_000
    tool_timeout: timedelta = timedelta(seconds=30)
    tool_attempts: int = 6
    heartbeat_timeout: timedelta = timedelta(seconds=5)
    first_retry_after: timedelta = timedelta(seconds=0.5)
    # Which tools ask the user first: "destructive", "writing", names of tools. A chat that began before there
    # were questions asks none.
    approval: tuple[str, ...] = ()
    approval_deadline: timedelta = timedelta(days=1)


class Turn(_Message):
    """One user message. The id is made by the client; the same id again is the same turn."""

    turn_id: str = Field(pattern=TURN_ID_PATTERN)
    text: str


class Reply(_Message):
    """The answer to one turn; `notes` are for the user (a tool server was away, say)."""

    turn_id: str
    text: str
    notes: tuple[str, ...] = ()


class Question(_Message):
    """Asks the user whether a tool call may be made; from the deadline on it may not, once a worker sees that."""

    question_id: str
    turn_id: str
    # The beginning of the message that the turn answers.
    about: str
    # `stock_price` for a local tool, `finance.stock_price` for one of an MCP server.
    tool: str
    # One to a line, as JSON; what is long is cut in the middle.
    arguments: str
    is_cut: bool
    deadline: datetime


class OpenQuestions(_Message):
    """What a message gets instead of a reply while a turn waits for the user: its own turn, or one before it.

    The ids alone: it goes into the history each time. `ChatStatus` has the questions.
    """

    turn_id: str
    questions: tuple[str, ...]


class Verdict(StrEnum):
    """What may become of a tool call."""

    APPROVE = "approve"
    ALWAYS = "always"  # this call, and all of this tool in this chat
    REJECT = "reject"


class Decision(_Message):
    """The user's answer to a question; the model is told the reason of a rejection."""

    question_id: str
    verdict: Verdict
    reason: str = ""


class Failure(_Message):
    """Why a turn has no reply: the name of an error in `durable_loop.errors` and a readable sentence."""

    kind: str
    message: str


class TurnOutcome(_Message):
    """What a turn came to: a reply or a failure."""

    turn_id: str
    # What the user said, its beginning: for those who were not there.
    said: str = ""
    reply: Reply | None = None
    failure: Failure | None = None


class CarriedChat(_Message):
    """What a chat takes along when it continues as new."""

    transcript: tuple[Item, ...] = ()
    outcomes: tuple[TurnOutcome, ...] = ()
    turns: int = 0
    tokens: int = 0
    title: str | None = None
    # Tools that ask no more.
    approved: tuple[str, ...] = ()
    # Turns that were cancelled before they came. Hardly ever any: a history has the field where there are.
    forestalled: dict[str, Failure] = Field(default_factory=dict[str, Failure], exclude_if=lambda known: not known)


class ChatInput(_Message):
    """How a chat starts: its model and limits are fixed for its life."""

    model: str
    policy: ChatPolicy = ChatPolicy()
    carried: CarriedChat = CarriedChat()


class ChatPhase(StrEnum):
    """What the chat does about new messages."""

    OPEN = "open"
    DRAINING = "draining"  # answers what it accepted, then continues as new
    ENDED = "ended"  # answers what it accepted, then completes


class ToolCall(_Message):
    """A tool call of a turn; its arguments are JSON as the model wrote it, cut where it is long."""

    tool: str
    arguments: str
    is_over: bool


class ChatStatus(_Message):
    """The chat at this moment."""

    phase: ChatPhase
    model: str
    turns: int
    running: str | None = None
    waiting: tuple[str, ...] = ()
    model_calls: int = 0
    # What all model calls took so far, as the provider counts; 0 where it does not.
    tokens: int = 0
    title: str | None = None
    # Turns that the model now sees as a summary.
    summarised: int = 0
    # What the running turn waits for.
    questions: tuple[Question, ...] = ()
    # The turn that runs or ran last (in this run of the chat), and its tool calls in the order in which they began.
    calls_of: str | None = None
    calls: tuple[ToolCall, ...] = ()


class PartialText(_Message):
    """What a model said so far in one attempt of a call; of a long text the part from `start` (characters) on."""

    attempt: int
    start: int
    text: str


class UnderWay(_Message):
    """What a chat waits for at this moment, as its server sees it: a model call, a tool call, a list of tools."""

    # Tells one call from the others, all its attempts included.
    call: str
    what: str
    attempt: int
    max_attempts: int
    # How long until this attempt, in seconds; 0: it is under way, or a worker should take it.
    pause: float = 0
    # Why the attempt before failed, in a sentence.
    last_error: str | None = None
    # What this attempt of a model call said so far.
    said: PartialText | None = None


class TranscriptLine(_Message):
    """One line of what was said, for people."""

    role: Literal["user", "agent", "tool", "note"]
    text: str


class Conversation(_Message):
    """What was said in a chat, and what is to be answered yet."""

    lines: tuple[TranscriptLine, ...]
    # The turns that were over then, as far as the chat remembers them, in their order: their lines are there.
    settled: tuple[str, ...] = ()
    # The turn that runs, and those that wait.
    open: tuple[Turn, ...] = ()


class ListedTool(_Message):
    """A tool that the model was offered in the last turn."""

    # `stock_price` for a local tool, `finance.stock_price` for one of an MCP server.
    name: str
    about: str
    writes: bool
    destroys: bool
    asks_first: bool


class ModelInputPage(_Message):
    """Asks for one page of the input of the model call that is under way."""

    call: int
    page: int
