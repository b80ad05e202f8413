"""Record histories: `python -m tests.replay.record [NAME …]`, all that are missing when none is named.

A file that exists is never overwritten: whoever names one is told so, and nothing is recorded.
"""

import asyncio
import hashlib
import logging
import sys
import tomllib
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Any

from durable_loop.bootstrap.process import leave
from durable_loop.testing import Environment, RecordedHistory
from tests.replay.scenarios import SCENARIOS, Scenario

__all__ = ["FOLDER", "GENERATION", "manifest", "missing"]

FOLDER = Path(__file__).parents[2] / "fixtures" / "histories"
GENERATION = 0
PACKAGES = ("temporalio", "temporalio-openai-agents", "temporalio-mcp", "openai-agents", "mcp", "pydantic")


def manifest() -> list[dict[str, Any]]:
    """Return the entries of the manifest."""
    path = FOLDER / "manifest.toml"
    return tomllib.loads(path.read_text())["history"] if path.exists() else []


def missing(wanted: Collection[str] = ()) -> set[str]:
    """Return the names to record: what is wanted, or all that is not there yet.

    Raises:
        SystemExit: a name is unknown, or its history is there, in the folder or in the manifest.
    """
    known = {name for scenario in SCENARIOS for name in scenario.why}
    if unknown := set(wanted) - known:
        raise SystemExit(f"No scenario records {', '.join(sorted(unknown))}. There are: {', '.join(sorted(known))}.")
    listed = {entry["id"] for entry in manifest()}
    chosen = set(wanted) or {name for name in known if not _file(name).exists()}
    if there := {name for name in chosen if _file(name).exists() or _id(name) in listed}:
        raise SystemExit(
            f"There is a history or a manifest entry of {', '.join(sorted(there))} already: raise the generation "
            "(before version 0.1.0: delete both the file and its entry)."
        )
    return chosen


async def main(chosen: Collection[str]) -> None:
    """Record the histories with these names; what else their scenarios give is let go."""
    async with Environment.start() as env:
        for scenario in SCENARIOS:
            if scenario.why.keys() & set(chosen):
                for name, history in (await scenario.record(env)).items():
                    if name in chosen:
                        _keep(name, history, scenario)


def _keep(name: str, history: RecordedHistory, scenario: Scenario) -> None:
    path = _file(name)
    history.write(path)
    entry = {
        "id": _id(name),
        "workflow": history.workflow_type,
        "why": scenario.why[name],
        "expect": scenario.expect,
        "events": len(history.event_types),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    versions = ", ".join(f'{package} = "{version(package)}"' for package in PACKAGES)
    lines = [f"{key} = {_toml(value)}" for key, value in entry.items()]
    with (FOLDER / "manifest.toml").open("a") as file:
        file.write("\n".join(["[[history]]", *lines, f"versions = {{ {versions} }}", "", ""]))
    sys.stdout.write(f"{entry['id']}: {entry['events']} events\n")


def _id(name: str) -> str:
    return f"{name}.v{GENERATION}"


def _file(name: str) -> Path:
    return FOLDER / f"{_id(name)}.json"


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else '"' + str(value).replace('"', '\\"') + '"'


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main(missing(sys.argv[1:])))
    leave(0)
