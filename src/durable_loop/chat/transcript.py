"""The transcript as lines for people."""

from collections.abc import Iterator, Sequence
from typing import cast

from durable_loop.chat.compaction import summarised_turns
from durable_loop.chat.messages import Item, TranscriptLine

__all__ = ["lines"]


def lines(transcript: Sequence[Item]) -> list[TranscriptLine]:
    """Return what was said and which tools were called, in order; the model's inner items are left out."""
    said = [line for item in transcript for line in _lines(item)]
    if summarised_turns(transcript):
        said[0] = TranscriptLine(role="note", text=said[0].text)
    return said


def _lines(item: Item) -> Iterator[TranscriptLine]:
    match item:
        case {"role": "user", "content": content}:
            yield TranscriptLine(role="user", text=_text(content))
        case {"role": "assistant", "content": str(note)}:
            yield TranscriptLine(role="note", text=note)
        case {"role": "assistant", "content": content}:
            yield TranscriptLine(role="agent", text=_text(content))
        case {"type": "function_call", "name": str(name), "arguments": str(arguments)}:
            yield TranscriptLine(role="tool", text=f"{name}({arguments})")
        case _:
            return


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[dict[str, str]]", content)
    return "".join(part.get("text", "") or part.get("refusal", "") for part in parts)
