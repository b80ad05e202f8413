"""The words of the offline model. What a tool said is shown, never obeyed and never read for more requests."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from durable_loop.models.offline.choosing import Choice
from durable_loop.models.offline.memory import Fact
from durable_loop.models.offline.offers import Kind, Offer, Slot
from durable_loop.models.offline.small_talk import SmallTalk
from durable_loop.models.offline.transcript import MadeCall
from durable_loop.models.offline.words import spaced

__all__ = ["abilities", "ask_for", "cannot", "confirm", "listed", "phrase_result", "small_talk", "too_long"]

_MAX_LISTED: Final = 30
_MAX_LINES: Final = 100
_MAX_DEPTH: Final = 6


def listed(names: Sequence[str], *, last: str = "and") -> str:
    """Write "a, b and c"."""
    return f" {last} ".join(", ".join(names).rsplit(", ", 1)) if len(names) > 1 else "".join(names)


def abilities(offers: Sequence[Offer]) -> str:
    """Say which tools there are."""
    if not offers:
        return "I have no tools here, but I remember what you tell me."
    names = [offer.label for offer in offers[:_MAX_LISTED]]
    more = len(offers) - len(names)
    return f"I can use these tools: {listed([*names, *([f'{more} more'] if more else [])])}."


def cannot(texts: Sequence[str], offers: Sequence[Offer], *, partly: bool) -> str:
    """Say plainly what cannot be done, and what can."""
    quoted = listed(["“" + text.strip(" .?!") + "”" for text in texts])
    rules = "I cannot help with that: I am the offline model, which works by rules."
    what = f"I cannot help with {quoted}." if partly else rules
    return f"{what} {abilities(offers)}"


def ask_for(choice: Choice) -> str:
    """Ask for what the user has left out."""
    missing = choice.missing
    names = listed([f"the {slot.label}" for slot in missing])
    explained = _explained(missing[0]) if len(missing) == 1 else ""
    return f"For “{choice.offer.label}” I still need {names}{explained or '.'}"


def _explained(slot: Slot) -> str:
    if slot.kind is Kind.CHOICE:
        return f" ({listed([str(choice) for choice in slot.choices[:_MAX_LISTED]], last='or')})."
    description = slot.description.strip().rstrip(".")
    explained = [f"{description[0].lower()}{description[1:]}"] if description else []
    explained += ["a whole number"] if slot.type == "integer" else []
    return f" ({', '.join(explained)})." if explained else ""


def confirm(fact: Fact) -> str:
    """Say that a fact was noted."""
    if fact.subject == "name":
        return f"Nice to meet you, {fact.value}. I will remember your name."
    return f"I will remember that. {fact.sentence}"


def small_talk(kind: SmallTalk, offers: Sequence[Offer]) -> str:
    """Answer small talk."""
    match kind:
        case SmallTalk.GREETING:
            return f"Hello! I am the offline model. {abilities(offers)}"
        case SmallTalk.THANKS:
            return "You're welcome."
        case SmallTalk.FAREWELL:
            return "Goodbye!"
        case SmallTalk.WELL_BEING:
            return "I am fine, thank you. What can I do for you?"
        case SmallTalk.ABILITIES:
            return f"I am the offline model: I work by rules, without a key or a network. {abilities(offers)}"
        case SmallTalk.AGREEMENT:
            return "All right. What can I do for you?"


def too_long(length: int, limit: int) -> str:
    """Say that a message was not read."""
    return (
        f"Your message has {length:,} characters. I am the offline model and read at most {limit:,}: please shorten it."
    )


# How the SDK, our own tools and most others begin an error.
_FAILED: Final = re.compile(
    r"^(?:(?:an\s+)?error(?:\s+(?:occurred|executing|invoking|running|calling)\b[^.:]*)?[.:]\s*"
    r"(?:please\s+try\s+again\.\s*)?(?:error:\s*)?|(?:the\s+)?tool\s+call\s+failed:\s*)",
    re.IGNORECASE,
)
_WRONG: Final = re.compile(
    r"(?:the\s+arguments\s+of\s|failed\s+to\s|could\s+not\s|cannot\s|unable\s+to\s|tool\s.*\snot\s+found|traceback\b)",
    re.IGNORECASE,
)
_EQUATION: Final = re.compile(r"(?P<left>[^=\n]*\d[^=\n]*?)\s*=\s*(?P<right>[-+]?[\d.,]+(?:e[-+]?\d+)?)", re.IGNORECASE)
_PLAIN_VALUE: Final = re.compile(r"[^\s]{1,60}")
# Where a JSON result keeps its sentence, and where its one value.
_SENTENCE_KEYS: Final = ("text", "message", "summary")
_VALUE_KEYS: Final = ("result", "value", "answer", "output")


def phrase_result(call: MadeCall, *, alone: bool) -> str:
    """Say what a tool gave back; `alone` when it is the only answer of the turn."""
    if call.output is None:
        return f"The call of {spaced(call.name)} did not finish."
    said, failed = _readable(call.output)
    reason = said if failed else _FAILED.sub("", said.removeprefix(f"{call.name} failed:"))
    if failed or _WRONG.match(said) or reason != said:
        return f"That did not work: {_sentence(reason) or 'the tool gave no reason.'}"
    return _phrase_value(call, said, alone=alone)


def _phrase_value(call: MadeCall, said: str, *, alone: bool) -> str:
    """Make a sentence of a bare value or an equation; what is more than that is a text already."""
    if not call.output:
        return f"Done: {spaced(call.name)}."
    if not said:
        return f"The result of {_named(call)} is empty."
    if equation := _EQUATION.fullmatch(said.rstrip(".")):
        return f"The result is {equation['right']}." if alone else f"{equation['left']} = {equation['right']}."
    if _PLAIN_VALUE.fullmatch(said):
        return f"The result{'' if alone else f' of {_named(call)}'} is {said.rstrip('.')}."
    return said


def _named(call: MadeCall) -> str:
    label = spaced(call.name)
    given = listed([str(value) for value in call.arguments.values() if isinstance(value, str | int | float)])
    return f"{label} for {given}" if given else label


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def _readable(output: str) -> tuple[str, bool]:
    """Return a tool's output in words, and whether its JSON says that it failed."""
    text = output.strip()
    if text[:1] not in {"{", "[", '"'}:
        return text, False
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text, False
    return _from_json(parsed)


def _from_json(parsed: Any) -> tuple[str, bool]:
    if not isinstance(parsed, dict):
        return _flat(parsed) if parsed else "", False
    result = cast("dict[str, Any]", parsed)
    if error := result.get("error"):
        return _flat(error), True
    failed = any(result.get(key) is True for key in ("isError", "is_error"))
    for keys, types in ((_SENTENCE_KEYS, str), (_VALUE_KEYS, str | int | float)):
        for key in keys:
            if isinstance(value := result.get(key), types) and value != "":
                return _scalar(value), failed
    return _flat(result) if result else "", failed


def _flat(value: Any) -> str:
    lines = list(_lines(value))
    more = len(lines) - _MAX_LINES
    return "\n".join([*lines[:_MAX_LINES], *([f"… and {more} more lines"] if more > 0 else [])])


def _lines(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield JSON as lines: `name: value`, `1. value`, what is nested two spaces further in."""
    indent = "  " * depth
    if depth >= _MAX_DEPTH or not isinstance(value, dict | list):
        yield f"{indent}{_scalar(value) if depth < _MAX_DEPTH else json.dumps(value, ensure_ascii=False)}"
        return
    if isinstance(value, dict):
        pairs = [(f"{spaced(str(key))}: ", inner) for key, inner in cast("dict[str, Any]", value).items()]
    else:
        pairs = [(f"{number}. ", inner) for number, inner in enumerate(cast("list[Any]", value), start=1)]
    for name, inner in pairs:
        if isinstance(inner, dict) and _is_flat(cast("dict[str, Any]", inner)):
            inner_pairs = cast("dict[str, Any]", inner).items()
            yield f"{indent}{name}{', '.join(f'{spaced(key)} {_scalar(item)}' for key, item in inner_pairs)}"
        elif isinstance(inner, dict | list) and inner:
            yield f"{indent}{name}".rstrip()
            yield from _lines(inner, depth + 1)
        else:
            yield f"{indent}{name}{_scalar(inner)}".rstrip()


def _is_flat(value: dict[str, Any]) -> bool:
    return bool(value) and not any(isinstance(inner, dict | list) for inner in value.values())


def _scalar(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case float():
            return format(value, ".12g")
        case dict() | list():
            return "none"
        case _:
            return str(value)
