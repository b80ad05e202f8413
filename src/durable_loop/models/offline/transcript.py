"""Model input, in every shape that the Agents SDK has for it, as turns of a transcript."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

import pydantic_core

from durable_loop.chat.compaction import summarised_turns

__all__ = ["MadeCall", "Turn", "normalised", "turns_of"]

# The rules know one apostrophe; one character for one.
_PLAIN_QUOTES: Final = str.maketrans({"’": "'", "‘": "'"})  # noqa: RUF001 - what people type

_OUTPUT: Final = "function_call_output"


@dataclass
class MadeCall:
    """A tool call that is already in the transcript; no output means that it did not finish."""

    name: str
    arguments: dict[str, Any]
    output: str | None = None


@dataclass
class Turn:
    """A user message and everything after it. Notes by `system` and `developer` are not the user's words."""

    message: str
    calls: list[MadeCall] = field(default_factory=list[MadeCall])
    reply: str = ""


def normalised(model_input: str | list[Any]) -> list[dict[str, Any]]:
    """Return plain JSON items; lazy pydantic iterators inside them are read."""
    if isinstance(model_input, str):
        return [{"role": "user", "content": model_input}]
    items: Any = pydantic_core.to_jsonable_python(model_input, serialize_unknown=True)
    return [item for item in items if isinstance(item, dict)]


def turns_of(items: list[dict[str, Any]]) -> list[Turn]:
    """Group items into turns; what stands before the first user message belongs to none."""
    turns: list[Turn] = []
    open_calls: dict[str, MadeCall] = {}
    for item in items:
        role, kind = item.get("role"), item.get("type")
        if role == "user":
            turns += _turns_told_by(_text(item.get("content")).translate(_PLAIN_QUOTES))
        elif not turns:
            continue
        elif role == "assistant":
            turns[-1].reply = _text(item.get("content"))
        elif kind == "function_call":
            call = MadeCall(name=str(item.get("name", "")), arguments=_arguments(item.get("arguments")))
            turns[-1].calls.append(call)
            open_calls[str(item.get("call_id"))] = call
        elif kind == _OUTPUT and (answered := open_calls.get(str(item.get("call_id")))):
            answered.output = _text(item.get("output"))
    return turns


def _turns_told_by(message: str) -> list[Turn]:
    """Return the message as a turn; a summary of older turns is one for each thing that the user said in them."""
    if not summarised_turns([{"content": message}]):
        return [Turn(message=message)]
    _, _, told = message.partition("\n")
    return [Turn(message=line) for line in told.splitlines()]


def _text(content: Any) -> str:
    return "\n".join(_pieces(content)).strip()


def _pieces(content: Any) -> Iterator[str]:
    """Yield the texts in a content: a string, a part with `text`, or a list of parts; images have none."""
    match content:
        case str():
            yield content
        case {"text": str(text)}:
            yield text
        case {"refusal": str(text)}:
            yield text
        case list():
            for part in cast("list[Any]", content):  # JSON
                yield from _pieces(part)
        case None:
            return
        case {"type": str(kind)} if kind.startswith("input_"):
            return
        case _:
            yield json.dumps(content, ensure_ascii=False)


def _arguments(raw: Any) -> dict[str, Any]:
    try:
        parsed = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        return {}
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}  # JSON has strings for keys
