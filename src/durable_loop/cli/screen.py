"""The words on the screen. Everything here is a function of its arguments; the tests show whole screens."""

import unicodedata
from collections.abc import Callable, Iterable

from durable_loop.chat.messages import Decision, Question, Reply, TranscriptLine, UnderWay, Verdict
from durable_loop.errors import ChatError
from durable_loop.models.naming import ModelChoice
from durable_loop.stack.messages import PartState, StackState, StackStatus

__all__ = [
    "Progress",
    "addresses",
    "decision",
    "failure",
    "farewell",
    "may_it",
    "printable",
    "question",
    "refused",
    "reply",
    "retries",
    "said",
    "starting",
    "stays",
    "transcript",
    "unclear",
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
            "Type a message; `quit` or Ctrl-D leaves, and the chat stays.",
            "",
        )
        if line is not None
    )


def farewell(chat_id: str, *, program: str) -> str:
    """Return what is said when the user leaves a chat that has begun."""
    return f"The chat stays. Go on with it: {program} --resume {chat_id}\n"


def said(text: str) -> str:
    """Return what the user said, where no terminal has shown it."""
    return f"You: {printable(text)}\n"


def reply(answer: Reply) -> str:
    """Return a reply with its notes."""
    notes = "".join(f"  ({printable(note)})\n" for note in answer.notes)
    return f"Agent: {printable(answer.text)}\n{notes}"


def retries(under_way: Iterable[UnderWay]) -> str:
    """Return what is being tried again, and why; empty where nothing is."""
    again = [doing for doing in under_way if doing.attempt > 1]
    return _on_one_line(
        "; ".join(
            f"{doing.what}, attempt {doing.attempt} of {doing.max_attempts}: {doing.last_error or 'no reason given'}"
            for doing in again
        )
    )


def question(asked: Question) -> str:
    """Return what the agent wants to do, and for which message."""
    until = asked.deadline.astimezone().strftime("%Y-%m-%d %H:%M")
    arguments = "".join(f"  {_on_one_line(line)}\n" for line in asked.arguments.split("\n"))
    return (
        f'The agent wants to call {printable(asked.tool)} (for "{_on_one_line(asked.about)}"):\n'
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
    return f"  (not allowed, there is no terminal to ask at: {printable(asked.tool)})\n"


def failure(error: ChatError) -> str:
    """Return why there is no reply; the chat goes on."""
    return f"No reply: {printable(str(error))}\n"


def transcript(lines: Iterable[TranscriptLine]) -> str:
    """Return what was said before."""
    return "".join(f"{SPEAKERS[line.role]}: {printable(line.text)}\n" for line in lines)


def printable(text: str) -> str:
    """Take out what would move the cursor or speak to the terminal: text of models and tools is data."""
    return "".join(
        character for character in text if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf"}
    )


def _on_one_line(text: str) -> str:
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
    """Writes a line for each part that becomes ready or dies, and each note once."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._said: set[str] = set()
        self._ready: set[str] = set()

    def __call__(self, status: StackStatus) -> None:
        """Look at the stack's new status."""
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
