"""Find the Temporal command line program, whose dev server the stack and the tests run."""

import shutil
import sys
import sysconfig
from pathlib import Path

from durable_loop.errors import TemporalBinaryNotFoundError

__all__ = ["find_temporal"]

WAYS_OUT = """\
No Temporal dev server was found. Do one of these:
  - install it with the project:  uv sync   (or: pip install 'durable-loop[server]')
  - install Temporal's own command line program: https://docs.temporal.io/cli
  - name one you have:  DURABLE_LOOP_TEMPORAL_CLI=/path/to/temporal
  - use a Temporal that runs elsewhere:  TEMPORAL_ADDRESS=host:7233"""


def find_temporal(configured: Path | None) -> Path | None:
    """Return the program: the configured one, else beside the running Python, else on PATH, else None.

    None means: let the SDK download its own (see `sdk_server`).

    Raises:
        TemporalBinaryNotFoundError: the configured path is not a program.
    """
    if configured is not None:
        if shutil.which(configured) is None:
            raise TemporalBinaryNotFoundError(f"DURABLE_LOOP_TEMPORAL_CLI={configured} is not a program that can run.")
        return configured
    beside = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    found = next((path for folder in beside if (path := shutil.which("temporal", path=folder))), None)
    found = found or shutil.which("temporal")
    return Path(found) if found else None
