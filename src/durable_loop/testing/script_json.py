"""JSON as scripts are written in it: a key that stands twice in a mapping is refused, where json keeps the last one."""

import json
from pathlib import Path
from typing import Any, Final

from durable_loop.chat.compaction import shortened
from durable_loop.testing.errors import ScriptError

__all__ = ["TWICE", "parsed", "written"]

# Two steps in one mapping are what this mostly is: the first one would be lost, and nothing would tell.
TWICE: Final = (
    "the key {key} is here twice: write it once, and each step in a mapping of its own (in YAML, a dash each)"
)

_SHOWN_CHARS: Final = 200


class _TwiceError(Exception):
    """A key stands twice."""


def parsed(path: Path, text: str) -> Any:
    """Return what the JSON of a script's file says.

    Raises:
        ScriptError: it is no JSON, or has a key twice in a mapping.
    """
    try:
        return json.loads(text, object_pairs_hook=_mapping)
    except _TwiceError as error:
        raise ScriptError(f"The script {path} cannot be used: {error}") from error
    except ValueError as error:
        raise ScriptError(f"The script {path} is no JSON: {error}") from error


def written(content: Any) -> str:
    """Return a script's content as JSON."""
    return json.dumps(content, indent=2, ensure_ascii=False)


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict[str, Any]()
    for key, value in pairs:
        if key in made:
            # json does not say where a mapping stands: its content does.
            content = ", ".join(f"{_text(each)}: {_text(held)}" for each, held in pairs)
            raise _TwiceError(f"{TWICE.format(key=key)}\n  in {{{shortened(content, _SHOWN_CHARS)}}}")
        made[key] = value
    return made


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
