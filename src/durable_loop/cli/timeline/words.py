"""The words of a timeline that the terminal and the page have in common. Functions of their arguments."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from durable_loop.cli import screen
from durable_loop.cli.timeline.value import Kind, Outcome, Step, TimedTurn, Timeline, Tokens

__all__ = [
    "NOTHING",
    "about",
    "answer",
    "clock",
    "counted",
    "gave",
    "heading",
    "lasted",
    "moment",
    "remarks",
    "shortened",
    "totals",
]


# The arguments of a tool that has none.
NOTHING: Final = "{}"


def heading(told: Timeline) -> str:
    """Return the title of a chat, on one line."""
    return screen.on_one_line(told.title or told.chat_id)


def about(told: Timeline) -> str:
    """Return what it is, in a line."""
    return screen.on_one_line(f"{told.chat_id} · {told.model} · {told.state}")


def totals(told: Timeline) -> str:
    """Return what it came to, in a line; what did not occur is left out."""
    counts = (
        _number(len(told.turns), "turn") + (f" after {told.turns_before} before" if told.turns_before else ""),
        _number(told.runs, "run") if told.runs > 1 else "",
        counted(told.tokens),
        _number(told.retries, "retry", "retries") if told.retries else "",
        _number(told.gaps, "gap") if told.gaps else "",
    )
    return " · ".join(filter(None, counts))


def answer(turn: TimedTurn) -> tuple[str, str]:
    """Return what stands before the answer of a turn, and the answer."""
    match turn.outcome:
        case Outcome.DONE:
            return "Agent", turn.answer
        case Outcome.CANCELLED:
            return "Cancelled", turn.answer
        case Outcome.OPEN | Outcome.WAITING:
            return str(turn.outcome).capitalize(), ""
        case _:
            return "No reply", turn.answer


def gave(step: Step, turn: TimedTurn | None) -> str:
    """Return what came of a step; not once more what stands below its turn as the answer."""
    is_answer = step.kind is Kind.MODEL and step.outcome is Outcome.DONE
    if is_answer and turn is not None and step.gave == turn.answer:
        return ""
    if step.kind in {Kind.GAP, Kind.CHAT}:
        return step.gave
    if step.outcome is Outcome.DONE:
        return step.gave and f"→ {step.gave}"
    return f"{step.outcome}: {step.gave}" if step.gave else str(step.outcome)


def remarks(step: Step) -> Iterator[str]:
    """Yield how often it had to be tried, and why."""
    if step.attempts > 1:
        yield f"attempt {step.attempts}" + (f" of {step.max_attempts}" if step.max_attempts else "")
        yield f"before: {step.last_failure or 'no reason given'}"


def counted(tokens: Tokens) -> str:
    """Return how many tokens there were; empty where nobody counted."""
    return f"{tokens.read:,} tokens in, {tokens.written:,} out" if tokens else ""


def lasted(time: timedelta | None) -> str:
    """Return how long something took; empty where it is not over."""
    if time is None:
        return ""
    seconds = time.total_seconds()
    if seconds < 0.0995:  # noqa: PLR2004 - a tenth of a second
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.995:  # noqa: PLR2004 - where two digits behind the point end
        return f"{seconds:.2f} s"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def moment(at: datetime) -> str:
    """Return when something was, as a person here writes it."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def clock(at: datetime) -> str:
    """Return at which time of its day something was."""
    return at.astimezone().strftime("%H:%M:%S")


def shortened(text: str, most: int) -> str:
    """Return a text on one line, its end cut where it is too long."""
    text = screen.on_one_line(text[: 4 * most])
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
