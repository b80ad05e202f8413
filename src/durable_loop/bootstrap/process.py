"""What every process of the stack does alike: logging, settings, run until signalled, exit codes.

An error of setup is one readable message and exit code 2; anything else is logged with its traceback, code 1.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NoReturn

from durable_loop.errors import SetupError
from durable_loop.settings import Settings, load_settings

__all__ = ["READY", "SETUP_FAILED", "announce", "leave", "main", "until_signalled"]

logger = logging.getLogger(__name__)

# The first word of the line that a part prints once it can be used; the supervisor waits for it.
READY = "ready:"
# The exit code of a process that says what is wrong with the set-up; any other failure is a bug.
SETUP_FAILED = 2


def main(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> NoReturn:
    """Run a part of the stack and end the process with the right exit code."""
    code = 0
    try:
        settings = load_settings()
        logging.basicConfig(
            level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        asyncio.run(run(settings))
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        code = SETUP_FAILED
    except KeyboardInterrupt:
        code = 130
    except Exception:
        logger.exception("This is a bug or a broken installation")
        code = 1
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process now, its output written.

    The SDK's threads may abort a process that goes through the interpreter's own shutdown (temporalio 1.35).
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read it is gone
            stream.flush()
    os._exit(code)


async def until_signalled() -> None:
    """Return when the process gets SIGTERM or SIGINT."""
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    await signalled.wait()


def announce(what: str) -> None:
    """Tell whoever started this process that it can be used now."""
    sys.stdout.write(f"{READY} {what}\n")
    sys.stdout.flush()
