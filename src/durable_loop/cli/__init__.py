"""The terminal: prompt, rendering, commands. The chat itself starts light, so this imports on demand."""

import signal
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program with `arguments` (default: the command line's) and end the process with its exit code."""
    # Until all is imported, which takes a second, Ctrl-C ends the program without a traceback.
    interrupted = signal.getsignal(signal.SIGINT)
    if interrupted is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from durable_loop.cli.app import run  # noqa: PLC0415 - so that `import durable_loop.cli` costs nothing

    signal.signal(signal.SIGINT, interrupted)
    run(arguments)
