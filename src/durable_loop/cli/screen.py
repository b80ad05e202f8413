"""The words on the screen. Everything here is a function of its arguments; the tests show whole screens."""

import json
import math
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from durable_loop.chat.messages import (
    ChatPhase,
    ChatStatus,
    Decision,
    Question,
    Reply,
    ToolCall,
    TranscriptLine,
    TurnOutcome,
    UnderWay,
    Verdict,
)
from durable_loop.cli import fitting
from durable_loop.errors import ChatError
from durable_loop.models.naming import ModelChoice
from durable_loop.stack.messages import PartState, StackState, StackStatus

__all__ = [
    "Progress",
    "accepted_perhaps",
    "addresses",
    "another_first",
    "asked_in",
    "asks_somebody",
    "away",
    "begun_anew",
    "cancelling",
    "decided_for",
    "decision",
    "doing",
    "elsewhere",
    "elsewhere_now",
    "ends",
    "failure",
    "farewell",
    "leaves_next_time",
    "left_over",
    "may_it",
    "no_longer_asked",
    "no_reply",
    "nobody_yet",
    "not_sent",
    "notes",
    "on_one_line",
    "printable",
    "question",
    "refused",
    "reply",
    "retries",
    "said",
    "starting",
    "stays",
    "temporal_is_away",
    "transcript",
    "unclear",
    "unknown_chat",
    "used",
    "waiting",
    "welcome",
]

_VERDICTS = {
    "y": Verdict.APPROVE,
    "yes": Verdict.APPROVE,
    "n": Verdict.REJECT,
    "no": Verdict.REJECT,
    "a": Verdict.ALWAYS,
    "always": Verdict.ALWAYS,
}
# Among the signs that are not seen: line ends, and what joins letters and emoji or keeps them apart.
_HARMLESS = "\n\t\u200c\u200d"
SPEAKERS = {"user": "You", "agent": "Agent", "tool": "  tool", "note": "  note"}


def welcome(choice: ModelChoice, *, hint: str | None) -> str:
    """Return the first screen of a chat."""
    if choice.offline:
        model = "Model: the offline model (rule-based, no key, no network). Set LLM_MODEL to use a real one."
    else:
        model = f"Model: {choice.name}"
    return "\n".join(
        line
        for line in (
            "durable-loop: kill anything at any moment; no turn is lost, repeated or mixed up.",
            model,
            hint,
            "Type a message; /help lists the commands; `quit` or Ctrl-D leaves, and the chat stays.",
            "",
        )
        if line is not None
    )


def farewell(chat_id: str, *, program: str) -> str:
    """Return what is said when the user leaves a chat that has begun."""
    return f"The chat stays. Go on with it: {program} --resume {on_one_line(chat_id)}\n"


def said(text: str) -> str:
    """Return what the user said, where no terminal has shown it."""
    return f"You: {printable(text)}\n"


def reply(answer: Reply) -> str:
    """Return a reply with its notes."""
    return f"Agent: {printable(answer.text)}\n{notes(answer)}"


def notes(answer: Reply) -> str:
    """Return what the user should know beside the reply."""
    return "".join(f"  ({printable(note)})\n" for note in answer.notes)


def waiting(doing: str, *, begun: bool, heard: str = "", columns: int = sys.maxsize) -> str:
    """Return the line that stands for a reply, or for the rest of one, with the end of what is `heard` of that."""
    label = "  " if begun else "Agent: "
    dots = f"… ({doing})" if doing else "…"
    newest = fitting.end(on_one_line(heard).strip(), max(columns - fitting.width(f"{label} {dots}"), 0))
    return f"{label}{newest} {dots}" if newest else f"{label}{dots}"


def begun_anew(*, lost: bool) -> str:
    """Return what stands between a text that is void and the one that takes its place."""
    return f"  ({'the model call was lost' if lost else 'that was not all'}: the reply is begun anew)"


def used(call: ToolCall) -> str:
    """Return the line of a tool that was used."""
    return f"  · {on_one_line(f'{call.tool}{_with(call)}')}"


def doing(under_way: Sequence[UnderWay], calls: Iterable[ToolCall], *, seconds: float) -> str:
    """Return what happens now, in one line, and for how long it has; `calls` are those of this turn."""
    running = [f"calling {call.tool}{_with(call)}" for call in calls if not call.is_over]
    now = retries(under_way) or on_one_line("; ".join(running)) or _thinking(under_way)
    return f"{now}, {seconds:.0f} s" if now and seconds >= 1 else now


def _thinking(under_way: Iterable[UnderWay]) -> str:
    return "; ".join(dict.fromkeys("thinking" if each.what == "model call" else each.what for each in under_way))


def _with(call: ToolCall) -> str:
    """Return the values that a tool is called with: names are known to whoever knows the tool."""
    try:
        arguments: Any = json.loads(call.arguments or "{}")
    except ValueError:
        return f" with {call.arguments}"  # cut, or no JSON at all
    values = list(cast("dict[str, Any]", arguments).values()) if isinstance(arguments, dict) else [arguments]
    shown = ", ".join(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)
    return f" with {shown}" if shown else ""


def retries(under_way: Iterable[UnderWay]) -> str:
    """Return what is being tried again, when, and why; empty where nothing is."""
    again = [doing for doing in under_way if doing.attempt > 1]
    return on_one_line(
        "; ".join(
            f"{doing.what}{_after(doing)}, attempt {doing.attempt} of {doing.max_attempts}: "
            f"{doing.last_error or 'no reason given'}"
            for doing in again
        )
    )


def _after(doing: UnderWay) -> str:
    return f" again in {math.ceil(doing.pause)} s" if doing.pause > 0 else ""


def temporal_is_away(*, seconds: float) -> str:
    """Return what is shown while the server does not answer."""
    return f"Temporal does not answer: trying again, {seconds:.0f} s"


def nobody_yet(*, seconds: float) -> str:
    """Return what is shown while no worker has taken the message up: until then it may not be accepted."""
    return f"no worker has taken it up, {seconds:.0f} s"


def another_first(doing: str) -> str:
    """Return what happens while a message of somebody else is answered before this one."""
    return f"another message first: {doing or 'it begins'}"


def cancelling() -> str:
    """Return what is shown after the first Ctrl-C."""
    return "cancelling; Ctrl-C again leaves, and the chat stays"


def not_sent() -> str:
    """Return what became of a message that was taken back before there was a chat."""
    return "  (not sent)\n"


def leaves_next_time() -> str:
    """Return what a Ctrl-C at an empty prompt does."""
    return "  (Ctrl-C again leaves, and the chat stays)\n"


def no_longer_asked() -> str:
    """Return what became of a question that was answered elsewhere."""
    return "  (no longer asked)\n"


def away() -> str:
    """Return what the toolbar says while the server does not answer."""
    return "Temporal does not answer: trying again …"


def elsewhere_now(status: ChatStatus) -> str:
    """Return what the toolbar says of what nobody waits for here."""
    if status.questions:
        return "The agent asks something: /approve"
    if status.running is not None:
        return "A message from elsewhere is being answered …"
    return "This chat was ended: /new begins another" if status.phase is ChatPhase.ENDED else ""


def no_reply(why: str) -> str:
    """Return why there is no reply; the chat goes on."""
    return f"No reply: {printable(why)}\n"


def elsewhere(outcome: TurnOutcome) -> str:
    """Return what somebody else said in this chat; the reply stands below it."""
    return f"You (elsewhere): {printable(outcome.said)}\n"


def question(asked: Question) -> str:
    """Return what the agent wants to do, and for which message."""
    until = asked.deadline.astimezone().strftime("%Y-%m-%d %H:%M")
    arguments = "".join(f"  {on_one_line(line)}\n" for line in asked.arguments.split("\n"))
    return (
        f'The agent wants to call {on_one_line(asked.tool)} (for "{on_one_line(asked.about)}"):\n'
        f"{arguments}  (refused if unanswered by {until})\n"
    )


def may_it(asked: Question) -> str:
    """Return the prompt that asks for a decision."""
    if asked.is_cut:
        return "Not all of it can be shown. Allow it all the same? yes, n(o), n and why: "
    return "Allow it? y(es), a(lways in this chat), n(o), n and why: "


def decision(asked: Question, typed: str) -> Decision | None:
    """Return what an answer to a question means; None where it is no clear answer."""
    word, _, rest = typed.strip().partition(" ")
    verdict = _VERDICTS.get(word.lower().rstrip(",:."))
    allows = verdict is not Verdict.REJECT
    if verdict is None or (allows and (rest or (asked.is_cut and word.lower() != "yes"))):
        return None
    return Decision(question_id=asked.question_id, verdict=verdict, reason=rest.strip())


def unclear(asked: Question) -> str:
    """Return how a question is answered."""
    return f"  (type {'yes' if asked.is_cut else 'y, a'} or n; what comes after n is told to the agent)\n"


def refused(asked: Question) -> str:
    """Return what became of a question that there was nobody to ask."""
    return f"  (not allowed, there is no terminal to ask at: {on_one_line(asked.tool)})\n"


def decided_for(asked: Question, *, approved: bool) -> str:
    """Return what became of a question of a command that asks nobody."""
    tool = on_one_line(asked.tool)
    return f"  (allowed by --approve: {tool})\n" if approved else f"  (not allowed without --approve: {tool})\n"


def asks_somebody(question: Question, chat_id: str) -> str:
    """Return why a message is not answered: the chat waits for its user."""
    return (
        f"The chat waits until somebody allows {on_one_line(question.tool)}, or does not: "
        f"durable-loop chat --resume {on_one_line(chat_id)}. This message is answered then."
    )


def accepted_perhaps(chat_id: str) -> str:
    """Return what may become of a message that was not waited for."""
    return f"  (if it was accepted, it is answered all the same: durable-loop chat --resume {on_one_line(chat_id)})\n"


def asked_in(chat_id: str) -> str:
    """Return in which new chat a single question was asked."""
    return f"  (to go on: durable-loop chat --resume {chat_id})\n"


def unknown_chat(chat_id: str) -> str:
    """Return what is wrong with the id of a chat, and what to type."""
    return f"There is no chat {on_one_line(chat_id)}: `durable-loop chats` lists those that there are."


def left_over() -> str:
    """Return what is said of a stack that nobody watches over."""
    return "A supervisor died, and its parts still run: `durable-loop up` takes over, `durable-loop down` ends them."


def ends(chat_id: str, *, is_open: bool) -> str:
    """Return what becomes of a chat that is to end."""
    chat = on_one_line(chat_id)
    return f"{chat} ends with the answers to what it accepted.\n" if is_open else f"{chat} has ended before.\n"


def failure(error: ChatError) -> str:
    """Return what is wrong with a message; the chat goes on."""
    return no_reply(str(error))


def transcript(lines: Iterable[TranscriptLine]) -> str:
    """Return what was said before."""
    return "".join(f"{SPEAKERS[line.role]}: {printable(line.text)}\n" for line in lines)


def printable(text: str) -> str:
    """Take out what would move the cursor or speak to the terminal: text of models and tools is data."""
    return "".join(
        character for character in text if character in _HARMLESS or unicodedata.category(character) not in {"Cc", "Cf"}
    )


def on_one_line(text: str) -> str:
    """Return a text without what would begin another line, or move within one."""
    return printable(text).replace("\n", " ").replace("\t", " ")


def starting(status: StackStatus) -> str:
    """Return one line about what is not ready yet; empty when all is."""
    waiting = [
        part.name if part.state is not PartState.RESTARTING else f"{part.name} (again)"
        for part in status.parts
        if part.state is not PartState.READY
    ]
    return f"Starting: {', '.join(waiting)} …" if waiting else ""


def addresses(state: StackState) -> str:
    """Return where the parts of a running stack are."""
    return (
        f"Temporal:    {state.temporal_address}\n"
        f"Finance MCP: {state.finance_mcp_url}\n"
        f"IT MCP:      {state.it_mcp_url}\n"
    )


def stays(*, kept: bool) -> str:
    """Return when the stack will end."""
    return f"The stack stays until {'`durable-loop down`' if kept else 'its last client leaves'}.\n"


class Progress:
    """Writes a line for each part that becomes ready or dies, and each note once; what was ready before is no news."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._said: set[str] = set()
        self._ready: set[str] = set()
        self._has_looked = False

    def __call__(self, status: StackStatus) -> None:
        """Look at the stack's new status."""
        if not self._has_looked and status.ready:
            self._ready.update(part.name for part in status.parts)
        self._has_looked = True
        for note in status.notes:
            self._say_once(note)
        for part in status.parts:
            if part.state is PartState.READY and part.name not in self._ready:
                self._ready.add(part.name)
                self._write(f"  {part.name} is ready\n")
            elif part.state is PartState.RESTARTING and part.name in self._ready:
                self._ready.discard(part.name)
                self._write(f"  {part.name} died; it is started again\n")

    def _say_once(self, note: str) -> None:
        if note not in self._said:
            self._said.add(note)
            self._write(f"  {note}\n")
