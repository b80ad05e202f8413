"""Record histories: `python -m tests.replay.record [NAME …]`, all that are missing when none is named.

A file that exists is never overwritten: delete it (before version 0.1.0), or raise the generation.
"""

import asyncio
import hashlib
import logging
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from durable_loop.bootstrap.process import leave
from durable_loop.testing import Environment, RecordedHistory
from tests.replay.scenarios import SCENARIOS, Scenario

__all__ = ["FOLDER", "GENERATION", "manifest"]

FOLDER = Path(__file__).parents[2] / "fixtures" / "histories"
GENERATION = 0
PACKAGES = ("temporalio", "temporalio-openai-agents", "temporalio-mcp", "openai-agents", "mcp", "pydantic")


def manifest() -> list[dict[str, Any]]:
    """Return the entries of the manifest."""
    path = FOLDER / "manifest.toml"
    return tomllib.loads(path.read_text())["history"] if path.exists() else []


async def main(wanted: set[str]) -> None:
    """Record what is wanted, or all that is missing."""
    async with Environment.start() as env:
        for scenario in SCENARIOS:
            missing = [name for name in scenario.why if not _file(name).exists()]
            if wanted & scenario.why.keys() if wanted else missing:
                for name, history in (await scenario.record(env)).items():
                    if name in missing:
                        _keep(name, history, scenario)


def _keep(name: str, history: RecordedHistory, scenario: Scenario) -> None:
    path = _file(name)
    history.write(path)
    entry = {
        "id": f"{name}.v{GENERATION}",
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


def _file(name: str) -> Path:
    return FOLDER / f"{name}.v{GENERATION}.json"


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else '"' + str(value).replace('"', '\\"') + '"'


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main(set(sys.argv[1:])))
    leave(0)
