"""`durable-loop status`: every part of the stack in a line of its own."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from durable_loop.cli import grid, screen
from durable_loop.cli.output import is_terminal, write, write_json
from durable_loop.cli.overview import Overview, PartNow, overview
from durable_loop.cli.terminal import Look
from durable_loop.settings import Settings
from durable_loop.stack.lease import is_left_over

__all__ = ["plain", "run_status", "table"]

NOTHING_RUNS: Final = 1
SOMETHING_IS_DOWN: Final = 3  # 2 is wrong use or set-up
COLUMNS: Final = ("part", "state", "address", "version", "queue", "pollers", "backlog")
SPARED: Final = ("version", "queue", "address", "backlog", "pollers")


async def run_status(settings: Settings, *, as_json: bool) -> int:
    """Show the parts; the exit code says whether all of them are up.

    Raises:
        SettingsError: what is configured cannot be read.
    """
    found = await overview(settings)
    if as_json:
        write_json(_as_json(found))
    elif found is None:
        write(f"No stack is running.{f' {screen.left_over()}' if is_left_over(settings) else ''}\n")
    elif is_terminal(sys.stdout):
        write(table(found, Look.now()))
    else:
        write(plain(found))
    if found is None:
        return NOTHING_RUNS
    return 0 if found.all_up else SOMETHING_IS_DOWN


def table(found: Overview, look: Look) -> str:
    """Return a table that fits the terminal, and in sentences what does not work and how long the stack stays."""
    rows = [_cells(part) for part in found.parts]
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    lines = [f"{part.name}: {screen.on_one_line(part.problem)}\n" for part in found.parts if part.problem]
    if found.stack is not None:
        lines += [f"{note}\n" for note in found.stack.notes]
        lines.append(screen.stays(kept=found.stack.kept))
    return "".join([grid.fitted(columns, look, texts=("address", "queue"), spared=SPARED), *lines])


def plain(found: Overview) -> str:
    """Return a line for each part, its fields between tabs, below a line that names them."""
    names = (*COLUMNS, "problem")
    rows = [_cells(part) for part in found.parts]
    return "".join("\t".join(line) + "\n" for line in (names, *([row[name] for name in names] for row in rows)))


def _cells(part: PartNow) -> Mapping[str, str]:
    fields = {"part": part.name, **asdict(part)}
    return {name: "" if value is None else screen.on_one_line(str(value)) for name, value in fields.items()}


def _as_json(found: Overview | None) -> Mapping[str, Any]:
    if found is None:
        return {"up": False, "stack": False, "kept": False, "parts": []}
    return {
        "up": found.all_up,
        "stack": found.stack is not None,
        "kept": found.stack is not None and found.stack.kept,
        "parts": [asdict(part) for part in found.parts],
    }
