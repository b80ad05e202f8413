"""The fixtures that need no event loop: nouns, each a ready thing. They come with the plugin."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from durable_loop.testing.run_state import SCENARIOS, has_passed, project_of

if TYPE_CHECKING:
    from durable_loop.testing.crash import CrashPoints
    from durable_loop.testing.fake_model import FakeModel
    from durable_loop.testing.histories.scenarios import Scenarios
    from durable_loop.testing.script import Script

__all__ = ["crash", "fake_model", "histories", "script_of"]

# Imports stand in the fixtures: what they bring takes seconds, and most runs of pytest need none of it.
# ruff: noqa: PLC0415


@pytest.fixture
def fake_model(request: pytest.FixtureRequest) -> Generator["FakeModel"]:
    """Give a test the model that speaks its `@pytest.mark.script(…)`; a step that it did not use fails the test."""
    from durable_loop.testing.fake_model import FakeModel

    model = FakeModel(script_of(request))
    yield model
    # A test that has failed need not have come to the other steps.
    if has_passed(request.node):
        model.assert_complete()


@pytest.fixture
def crash(tmp_path: Path) -> "CrashPoints":
    """Give a test crash points of its own, for the processes that it starts with their `environment`."""
    from durable_loop.testing.crash import CrashPoints

    return CrashPoints(tmp_path / "crash-points")


@pytest.fixture(scope="session")
def histories(request: pytest.FixtureRequest) -> "Scenarios":
    """Give the tests the stored histories: a fresh one must tell the same story, or is recorded if the test passes."""
    from durable_loop.errors import SettingsError
    from durable_loop.testing.histories.scenarios import Scenarios
    from durable_loop.testing.histories.store import HistoryStore

    project, options = project_of(request.config), request.config.option
    if options.anew:
        try:
            project.may_record_anew()
        except SettingsError as error:
            raise pytest.UsageError(str(error)) from error
    scenarios = Scenarios(
        HistoryStore(project.histories),
        record=options.record_histories,
        refresh=options.refresh_histories,
        anew=options.anew,
    )
    # The end of a test is told to the plugin, and not to a fixture of the session.
    request.config.stash[SCENARIOS] = scenarios
    return scenarios


def script_of(request: pytest.FixtureRequest) -> "Script":
    """Return what a test's `@pytest.mark.script(…)` says."""
    from durable_loop.testing.script import Script

    marker = request.node.get_closest_marker("script")
    if marker is None:
        raise pytest.UsageError(f"{request.node.nodeid} needs @pytest.mark.script(…): what its model says.")
    return Script(*marker.args, **marker.kwargs)
