"""A timeline with one of everything, and one in which every text is hostile."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from durable_loop.chat.messages import TranscriptLine
from durable_loop.cli.timeline.value import Kind, Outcome, Step, TimedTurn, Timeline, Tokens

__all__ = ["EVIL", "TOLD", "evil"]

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVIL = (
    "</title></style></pre><script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\"><svg onload=document.title='owned'> & {0} \x1b[2J"
    "<link rel=stylesheet href=//evil.example/x.css><style>@import '//evil.example/y.css'</style>"
)


def _at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


TOLD = Timeline(
    chat_id="chat-1",
    title="What is\nAAPL at?",
    model="gpt-4",
    state="open",
    runs=2,
    turns_before=1,
    remembered=(TranscriptLine(role="note", text="They said hello."),),
    parts=(
        TimedTurn(
            number=2,
            turn_id="t2",
            text="What is\nAAPL at?",
            start=_at(0),
            end=_at(10),
            outcome=Outcome.DONE,
            answer="**185.50**",
            notes=("The it tools are not available.",),
            steps=(
                Step(Kind.MCP_LIST, "finance", _at(0), _at(0.05), Outcome.DONE, gave="stock_price, calculate_roi"),
                Step(
                    Kind.MODEL,
                    "gpt-4",
                    _at(0.1),
                    _at(2),
                    Outcome.DONE,
                    gave='calls stock_price({"ticker":"AAPL"})',
                    tokens=Tokens(1200, 20),
                    said=(TranscriptLine(role="tool", text='stock_price({"ticker":"AAPL"})'),),
                ),
                Step(Kind.QUESTION, "finance.stock_price", _at(2), _at(3), Outcome.DONE, gave="allowed"),
                Step(
                    Kind.MCP_TOOL,
                    "finance.stock_price",
                    _at(3),
                    _at(9),
                    Outcome.DONE,
                    asked='{"ticker": "AAPL"}',
                    gave="AAPL is at 185.50",
                    attempts=2,
                    max_attempts=6,
                    last_failure="the worker that ran it is gone.",
                ),
                Step(Kind.GAP, "finance.stock_price", _at(3), _at(8), Outcome.DONE, gave="its worker was gone"),
                Step(
                    Kind.MODEL,
                    "gpt-4",
                    _at(9),
                    _at(10),
                    Outcome.DONE,
                    gave="**185.50**",
                    tokens=Tokens(1300, 5),
                    said=(TranscriptLine(role="agent", text="**185.50**"),),
                ),
            ),
        ),
        Step(Kind.CHAT, "goes on in a new run", _at(11), _at(11), Outcome.DONE),
        TimedTurn(
            number=3,
            turn_id="t3",
            text="And?",
            start=_at(4000),
            end=_at(4100),
            outcome=Outcome.FAILED,
            answer="The model could not answer: no.",
            notes=(),
            steps=(
                Step(Kind.TOOL, "calculator", _at(4000), _at(4001), Outcome.CANCELLED, asked="{}"),
                Step(Kind.MODEL, "gpt-4", _at(4000), _at(4100), Outcome.FAILED, gave="no.", attempts=3),
            ),
        ),
        TimedTurn(
            number=4,
            turn_id="t4",
            text="Hello?",
            start=_at(4200),
            end=None,
            outcome=Outcome.OPEN,
            answer="",
            notes=(),
            steps=(Step(Kind.MODEL, "gpt-4", _at(4200)),),
        ),
    ),
)


def evil() -> Timeline:
    """Return it with a hostile text wherever there is one."""

    def bad(step: Step) -> Step:
        return replace(step, name=EVIL, asked=EVIL, gave=EVIL, last_failure=EVIL)

    parts = tuple(
        bad(part)
        if isinstance(part, Step)
        else replace(part, turn_id=EVIL, text=EVIL, answer=f"{EVIL}!", notes=(EVIL,), steps=tuple(map(bad, part.steps)))
        for part in TOLD.parts
    )
    return replace(TOLD, chat_id=EVIL, title=EVIL, model=EVIL, state=EVIL, parts=parts)
