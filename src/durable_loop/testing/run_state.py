"""What one run of pytest knows: the project under test, what was done with histories, and which tests have passed."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from durable_loop.testing.histories.scenarios import Scenarios
    from durable_loop.testing.project import Project

__all__ = ["PASSED", "REPORT", "SCENARIOS", "Report", "has_passed", "project_of"]


@dataclass
class Report:
    """What a run did with histories: for its last lines."""

    replayed: int = 0
    events: int = 0
    prefixes: int = 0
    seconds: float = 0.0
    drifted: int = 0
    compared: int = 0
    notes: list[str] = field(default_factory=list[str])
    recorded: list[str] = field(default_factory=list[str])

    def add(self, other: "Report") -> None:
        """Count what another process did."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


REPORT = pytest.StashKey[Report]()
SCENARIOS: "pytest.StashKey[Scenarios]" = pytest.StashKey()
PASSED = pytest.StashKey[bool]()
_PROJECT = pytest.StashKey["Project"]()


def has_passed(test: pytest.Item) -> bool:
    """Return whether a test has run to its end and passed; what comes after it (a fixture's end) is not in it."""
    return test.stash.get(PASSED, False)


def project_of(config: pytest.Config) -> "Project":
    """Return what the project in pytest's root folder says of itself.

    Raises:
        UsageError: it cannot be read.
    """
    from durable_loop.errors import DurableLoopError  # noqa: PLC0415 - most runs of pytest never ask
    from durable_loop.testing.project import Project  # noqa: PLC0415 - as above

    if _PROJECT not in config.stash:
        try:
            config.stash[_PROJECT] = Project.read(config.rootpath)
        except DurableLoopError as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[_PROJECT]
