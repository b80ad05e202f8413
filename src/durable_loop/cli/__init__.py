"""The terminal: prompt, rendering, commands. The chat itself starts light, so this imports on demand."""

from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program with `arguments` (default: the command line's) and end the process with its exit code."""
    from durable_loop.cli.app import run  # noqa: PLC0415 - so that `import durable_loop.cli` costs nothing

    run(arguments)
