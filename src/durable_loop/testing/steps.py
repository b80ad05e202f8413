"""What a fake model does at one model call, in words that read like a dialogue.

In a file each step is one line, by its word: `- says: Hello.`, `- calls: {tool: weather, arguments: {city: Oslo}}`.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Self, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "Call",
    "Calls",
    "Delays",
    "Fails",
    "Floods",
    "HandsOff",
    "Loops",
    "Says",
    "Step",
    "call",
    "calls",
    "delays",
    "fails",
    "fails_mid_stream",
    "floods",
    "garbles",
    "hands_off_to",
    "loops",
    "says",
    "streams",
]


_FAILURE: Final = "ScriptedFailure"


class _Step(BaseModel):
    # What is no number in JSON stays what it is until a file refuses it: pydantic would write null.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Show what is not as always."""
        return ((name, getattr(self, name)) for name in self.model_dump(exclude_defaults=True))


class Says(_Step):
    """The model answers; the turn is over. A stream gives the text in `pieces`, where there are any, else by words."""

    text: str
    pieces: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _are_its_pieces(self) -> Self:
        if self.pieces and "".join(self.pieces) != self.text:
            raise ValueError("the pieces do not come to the text")
        return self


class Call(_Step):
    """One tool call; `garbled` takes the place of its arguments and need not be JSON."""

    tool: str
    arguments: Mapping[str, Any] = {}
    garbled: str | None = None


class Calls(_Step):
    """The model calls tools, several at once where there are several."""

    calls: tuple[Call, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if _is_call(value):
            return {"calls": (value,)}
        return {"calls": cast("Any", value)} if isinstance(value, list | tuple) else value


class HandsOff(_Step):
    """The model hands off to an agent, by the tool that the request offers for it: an override of its name counts."""

    agent: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"agent": value} if isinstance(value, str) else value


class Loops(_Step):
    """The model makes the same call for ever: at this model call and at every later one of the turn."""

    call: Call

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"call": value} if _is_call(value) else value


class Floods(_Step):
    """The model answers with a text of so many characters; the turn is over."""

    characters: int = Field(ge=1)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"characters": value} if _is_number(value) else value


class Fails(_Step):
    """The model call fails: `attempts` times, after which the next step answers it, or always (None).

    A stream gives the text `after` first. `retry_after` are the seconds that the model asks to wait for; a retry policy
    knows the error by its `error_type`.
    """

    message: str
    attempts: int | None = Field(default=None, ge=1)
    retryable: bool = True
    retry_after: float | None = Field(default=None, gt=0)
    after: str = ""
    error_type: str = Field(default=_FAILURE, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"message": value} if isinstance(value, str) else value


class Delays(_Step):
    """The model takes so many seconds for the step that comes next."""

    seconds: float = Field(ge=0)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"seconds": value} if _is_number(value) else value


def _is_call(value: Any) -> bool:
    return isinstance(value, dict) and "tool" in value


def _is_number(value: Any) -> bool:
    # What YAML reads as true and false are ints to Python.
    return isinstance(value, int | float) and not isinstance(value, bool)


Step = Says | Calls | HandsOff | Loops | Floods | Fails | Delays


def says(text: str) -> Says:
    """Have the model answer with `text`."""
    return Says(text=text)


def streams(*pieces: str) -> Says:
    """Have the model answer piece by piece; a model call that is no stream gets the whole."""
    return Says(text="".join(pieces), pieces=pieces)


def call(tool: str, /, **arguments: Any) -> Call:
    """Make one of the tool calls of a `calls` with several."""
    return Call(tool=tool, arguments=arguments)


def calls(tool: str | Call, /, *more: Call, **arguments: Any) -> Calls:
    """Have the model call a tool with arguments, or several tools at once. It need not be one that there is."""
    first = tool if isinstance(tool, Call) else Call(tool=tool, arguments=arguments)
    return Calls(calls=(first, *more))


def hands_off_to(agent: str) -> HandsOff:
    """Have the model hand off to another agent, by the agent's name."""
    return HandsOff(agent=agent)


def garbles(tool: str, arguments: str = '{"') -> Calls:
    """Have the model call a tool with arguments that are what is written here, broken JSON for one."""
    return Calls(calls=(Call(tool=tool, garbled=arguments),))


def loops(tool: str, /, **arguments: Any) -> Loops:
    """Have the model make the same call again and again; what comes next in the script is another turn."""
    return Loops(call=Call(tool=tool, arguments=arguments))


def floods(characters: int) -> Floods:
    """Have the model answer with far too much."""
    return Floods(characters=characters)


def fails(
    message: str,
    *,
    attempts: int | None = None,
    retryable: bool = True,
    retry_after: float | None = None,
    error_type: str = _FAILURE,
) -> Fails:
    """Have the model call fail, the first `attempts` times or always, with an `ApplicationError` of this type.

    An attempt is one of the activity that calls the model; outside of Temporal each call is the first attempt.
    """
    return Fails(
        message=message, attempts=attempts, retryable=retryable, retry_after=retry_after, error_type=error_type
    )


def fails_mid_stream(message: str, *, after: str, attempts: int | None = None, error_type: str = _FAILURE) -> Fails:
    """Have a stream give the text `after` and then fail; a model call that is no stream fails at once."""
    return Fails(message=message, attempts=attempts, after=after, error_type=error_type)


def delays(duration: timedelta | float) -> Delays:
    """Have the model take that long (a number means seconds) for the next step."""
    return Delays(seconds=duration.total_seconds() if isinstance(duration, timedelta) else duration)
