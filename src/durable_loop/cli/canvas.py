"""What Rich draws, as a text for a terminal of a certain look."""

import io
from collections.abc import Iterable

from rich.console import Console, RenderableType

from durable_loop.cli.terminal import Look

__all__ = ["drawn_by_rich"]


def drawn_by_rich(things: Iterable[RenderableType], look: Look) -> str:
    """Return them one below the other: no wider than the look, and with no more colours and escapes than it has."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=look.columns,
        force_terminal=not look.plain,
        color_system="standard" if look.colours else None,
        no_color=not look.colours,
        highlight=False,
        legacy_windows=False,
    )
    for thing in things:
        console.print(thing)
    return out.getvalue()
