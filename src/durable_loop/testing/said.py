"""What came before a model call, for whoever wrote the script: as a chat tells it, and with what the tools gave."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from durable_loop.chat import transcript
from durable_loop.chat.compaction import shortened
from durable_loop.testing.placing import Item

__all__ = ["said"]

# Of one result; a call's arguments stand in the test.
_SHOWN_CHARS: Final = 200


def said(items: Sequence[Item]) -> Iterator[str]:
    """Yield a line for each message, call and result, in order."""
    tools = {item["call_id"]: item["name"] for item in items if item.get("type") == "function_call"}
    for item in items:
        match item:
            case {"type": "function_call_output", "call_id": str(call_id), "output": output}:
                text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
                yield f"{tools.get(call_id, call_id)} gave: {shortened(' '.join(text.split()), _SHOWN_CHARS)}"
            case _:
                yield from (f"{line.role}: {line.text}" for line in transcript.lines([item]))
