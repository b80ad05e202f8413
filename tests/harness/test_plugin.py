"""The pytest plugin in a project that is not ours: fixtures, options, and what is said at the end."""

import re
import shutil
from pathlib import Path

import pytest

from durable_loop.testing import HistoryStore
from durable_loop.testing.histories.store import AcceptedDrift
from tests.e2e.commands import run_pytest
from tests.requirements import requirement

EXAMPLE = Path(__file__).parents[2] / "examples" / "trip_planner"
OWN_HISTORIES = Path(__file__).parents[2] / "fixtures" / "histories"
FIXTURES = """
import pytest
from agents import Agent, RunConfig, Runner
from durable_loop.testing import CrashPoint, call, calls, says
from trip_planner import TripWorkflow

PLAN = (calls(call("forecast", city="Oslo"), call("trains", start="Bonn", city="Oslo")), says("Go."))

@pytest.mark.script(says("Hello Ada."))
async def test_fake_model(fake_model):
    result = await Runner.run(Agent(name="x", model=fake_model), "I am Ada")
    assert result.final_output == "Hello Ada."

@pytest.mark.script(says("Hello Ada."), says("nobody asks"))
async def test_unused(fake_model):
    await Runner.run(Agent(name="x", model=fake_model), "I am Ada")

@pytest.mark.script(says("Hello Ada."))
async def test_chat(chat):
    assert (await chat.send("I am Ada")).text == "Hello Ada."

@pytest.mark.script(*PLAN)
async def test_running_agent(running_agent):
    assert await running_agent.execute(TripWorkflow.run, "To Oslo") == "Go."

def test_crash(crash):
    crash.arm(CrashPoint.IN_MODEL_CALL)
    assert crash.passed == frozenset()

def test_no_script(fake_model):
    pass

@pytest.mark.script(*PLAN)
async def test_other_story(running_agent, histories):
    await running_agent.execute(TripWorkflow.run, "To Oslo")
    histories.match("trip/two-tools", await running_agent.history(), why="x")

@pytest.mark.script(*PLAN)
async def test_never_recorded(running_agent, histories):
    await running_agent.execute(TripWorkflow.run, "To Oslo")
    histories.match("trip/new", await running_agent.history(), why="Is new.")
"""


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """Give a copy of the example, with tests that use every fixture."""
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "test_fixtures.py").write_text(FIXTURES)
    return folder


@requirement("harness.plugin")
async def test_the_fixtures_are_ready_things_and_say_what_is_missing(project: Path) -> None:
    """Each used once; the tests that must fail do so, in words. (ours)"""
    code, output = await run_pytest(project, "test_fixtures.py")

    assert code == 1
    assert "5 passed" in output
    assert "turn 2, model call 1: Says(text='nobody asks')" in output
    assert "test_fixtures.py::test_no_script needs @pytest.mark.script(…): what its model says." in output
    assert "This run is another one than trip/two-tools.v0 tells. They differ first at event 1 of" in output
    assert 'stored: workflow execution started TripWorkflow "From Bonn to Oslo"' in output
    assert 'fresh:  workflow execution started TripWorkflow "To Oslo"' in output
    assert "Where that is meant: durable-loop history refresh trip/two-tools" in output
    assert "trip/new was never recorded. Record it: pytest --record-histories" in output
    assert "1 fresh history compared with what is stored" in output


@requirement("harness.plugin")
async def test_histories_are_recorded_refreshed_and_recorded_anew(project: Path) -> None:
    """Generations are added; one takes the place of the newest only where that is asked for. (ours)"""
    store, stories = HistoryStore(project / "histories"), ("test_fixtures.py", "-k", "story or recorded")
    code, output = await run_pytest(project, *stories, "--record-histories", "--refresh-histories", "trip/two-tools")
    assert code == 0
    assert "recorded trip/two-tools.v1\nrecorded trip/new.v0" in output.replace("\r", "")

    code, output = await run_pytest(project, *stories, "--refresh-histories", "trip/two-tools", "--anew")
    assert code == 0
    assert "recorded trip/two-tools.v1" in output
    assert [entry.id for entry in store.entries()] == ["trip/new.v0", "trip/two-tools.v0", "trip/two-tools.v1"]

    # All of them replay, those of older generations too; no server is needed for that.
    code, output = await run_pytest(project, "--replay-only")
    assert code == 0
    assert "4 passed" in output
    assert "3 histories replayed (" in output
    assert "none drifted" in output

    code, output = await run_pytest(project, "--replay-only", "-n", "2")
    assert code == 0
    assert "3 histories replayed (" in output

    pyproject = project / "pyproject.toml"
    pyproject.write_text('[project]\nname = "trips"\nversion = "0.1.0"\n' + pyproject.read_text())
    code, output = await run_pytest(project, *stories, "--refresh-histories", "trip/two-tools", "--anew")
    assert code == 1
    assert "From version 0.1.0 on histories are only added to: leave --anew out." in output


def outcomes(output: str) -> list[str]:
    """Return what became of the tests, from the last line of a run."""
    return re.findall(r"\d+ (?:failed|passed|skipped|error)", output.splitlines()[-1])


FAILING = """
import pytest
from durable_loop.testing import says

pytestmark = pytest.mark.script(says("nobody asks"))

def test_fake_model(fake_model): pytest.fail("the reason")
async def test_chat(chat): pytest.fail("the reason")
async def test_running_agent(running_agent): pytest.fail("the reason")
def test_skipped(fake_model): pytest.skip("no reason")

@pytest.fixture
def broken(): raise RuntimeError("the reason")
def test_broken(fake_model, broken): pass
"""


@requirement("harness.plugin")
async def test_a_test_that_has_failed_is_told_once(project: Path) -> None:
    """It need not have come to the steps that are left; nor need one that is skipped, or never begins. (ours)"""
    (project / "test_fixtures.py").write_text(FAILING)

    code, output = await run_pytest(project, "test_fixtures.py")

    assert code == 1
    assert outcomes(output) == ["3 failed", "1 skipped", "1 error"]
    assert "These steps of the script were never used" not in output
    assert "ERROR test_fixtures.py::test_broken - RuntimeError: the reason" in output


RECORDING = """
from pathlib import Path
import pytest
from durable_loop.testing import RecordedHistory, says

FRESH = RecordedHistory.read(Path({stored!r}))
OTHER = RecordedHistory.read(Path({other!r}))

def test_that_passes(histories):
    histories.match("trip/passes", FRESH, why="x")
    histories.match("trip/passes", FRESH, why="x")

def test_that_fails(histories):
    histories.match("trip/fails", FRESH, why="x")
    pytest.fail("the reason")

@pytest.mark.script(says("nobody asks"))
def test_that_its_fixture_fails(fake_model, histories):
    histories.match("trip/unused", FRESH, why="x")

def test_with_two_stories_of_one_name(histories):
    histories.match("trip/twice", FRESH, why="x")
    histories.match("trip/twice", OTHER, why="x")

def test_that_is_refused_at_once(histories):
    with pytest.raises(Exception, match="'NO NAME' is no name of a history"):
        histories.match("NO NAME", FRESH, why="x")

def test_with_what_is_there(histories):
    histories.match("trip/two-tools", FRESH, why="x")
    assert not Path("fails").exists(), "the reason"
"""


@requirement("harness.plugin")
async def test_a_test_that_fails_records_nothing(project: Path) -> None:
    """By its body, or by a fixture that ends after it; a generation that is there stays as it is. (ours)"""
    store = HistoryStore(project / "histories")
    kept = store.entry("trip/two-tools")
    other = OWN_HISTORIES / "chat" / "one-turn.v0.json"
    (project / "test_fixtures.py").write_text(RECORDING.format(stored=str(store.path(kept)), other=str(other)))

    code, output = await run_pytest(project, "test_fixtures.py", "--record-histories")
    assert code == 1
    assert outcomes(output) == ["2 failed", "4 passed", "1 error"]
    assert "This run is another one than trip/twice.v0 tells." in output
    assert output.count("recorded trip/") == 1
    assert [entry.id for entry in store.entries()] == ["trip/passes.v0", kept.id]

    (project / "fails").touch()
    one = ("test_fixtures.py::test_with_what_is_there", "--refresh-histories", "trip/two-tools")
    for words in (one, (*one, "--anew")):
        code, output = await run_pytest(project, *words)
        assert (code, "recorded" in output) == (1, False), output
        assert (store.entry("trip/two-tools"), store.problems()) == (kept, [])
    (project / "fails").unlink()
    assert "recorded trip/two-tools.v1" in (await run_pytest(project, *one))[1]


@requirement("harness.plugin")
async def test_what_cannot_be_stored_fails_the_test_that_recorded_it(project: Path) -> None:
    """Though it has passed: in a line. (ours)"""
    stored = HistoryStore(project / "histories").path(HistoryStore(project / "histories").entry("trip/two-tools"))
    (project / "test_fixtures.py").write_text(RECORDING.format(stored=str(stored), other=str(stored)))
    (project / "conftest.py").write_text(
        "from durable_loop.testing import RecordedHistory\n"
        "def write(self, path): raise OSError(28, 'No space left on device')\n"
        "RecordedHistory.write = write\n"
    )

    code, output = await run_pytest(project, "test_fixtures.py::test_that_passes", "--record-histories")

    assert code == 1
    assert outcomes(output) == ["1 passed", "1 error"]
    assert "histories cannot be written: No space left on device. Make room on that disk." in output
    assert "recorded trip/" not in output


@requirement("harness.plugin")
async def test_a_changed_prompt_and_an_unlisted_file_fail_the_replay(project: Path) -> None:
    """Each in words, and so does a table that cannot be read. (ours)"""
    (project / "histories" / "trip" / "unlisted.v0.json").write_text("{}")
    workflow = project / "trip_planner.py"
    workflow.write_text(workflow.read_text().replace("Plan the trip.", "Plan the trip, cheaply."))

    code, output = await run_pytest(project, "--replay-only")
    assert code == 1
    assert "trip/unlisted.v0.json is not in the manifest" in output
    assert "model call 1 and 1 more: instructions changed:" in output
    assert "1 history replayed (26 events, 7 prefixes)" in output  # the one that is stored
    assert "; 1 drifted" in output

    (project / "histories" / "manifest.toml").write_text("[[history]")
    assert "manifest.toml is no manifest of histories" in (await run_pytest(project, "--replay-only"))[1]
    (project / "pyproject.toml").write_text("[tool.durable-loop]\nagent = 1\n")
    code, output = await run_pytest(project, "--replay-only")
    assert code == pytest.ExitCode.INTERRUPTED
    assert "[tool.durable-loop] takes agents and histories. agent: Extra inputs are not permitted." in output


@requirement("harness.plugin")
async def test_a_process_of_xdist_that_dies_is_one_failed_test(project: Path) -> None:
    """What the others replayed is told. (ours)"""
    (project / "test_fixtures.py").write_text("import os\ndef test_dies(): os._exit(1)\n")
    (project / "test_trip_planner.py").write_text("")

    code, output = await run_pytest(project, "-n", "2", "--max-worker-restart", "0")

    assert code == 1
    assert "INTERNALERROR" not in output
    assert "crashed while running 'test_fixtures.py::test_dies'" in output


HISTORIES_ALONE = """
[tool.pytest.ini_options]
pythonpath = ["tests"]
testpaths = ["tests"]
asyncio_mode = "auto"

[tool.durable-loop]
agents = ["trip_agent:AGENT"]
histories = "histories"
"""


@pytest.fixture(name="beside")
def _beside(project: Path) -> Path:
    """Give a project whose histories are beside its tests."""
    tests = project / "tests"
    tests.mkdir()
    for module in project.glob("test_*.py"):
        module.unlink()
    (project / "trip_planner.py").rename(tests / "trip_planner.py")
    (tests / "trip_agent.py").write_text(
        "from durable_loop.testing import DurableAgent\n"
        "from trip_planner import TripWorkflow\n"
        "AGENT = DurableAgent(workflows=[TripWorkflow])\n"
    )
    (tests / "test_other.py").write_text("def test_other(): pass\n")
    (project / "pyproject.toml").write_text(HISTORIES_ALONE)
    return project


@requirement("harness.plugin")
async def test_every_run_without_paths_replays_what_is_stored(beside: Path) -> None:
    """Wherever the folder is; paths that are given are all that is run. (ours)"""
    for words in ((), ("-n", "2")):
        code, output = await run_pytest(beside, *words)
        assert code == 0, output
        assert "3 passed" in output
        assert "1 history replayed (" in output

    for words in (("tests",), ("tests/test_other.py",)):
        code, output = await run_pytest(beside, *words)
        assert (code, "1 passed" in output, "replayed" in output) == (0, True, False)
    assert "1 history replayed (" in (await run_pytest(beside, "histories"))[1]
    # From within another folder, that folder is what is asked for.
    assert "replayed" not in (await run_pytest(beside / "tests"))[1]

    pyproject = beside / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('testpaths = ["tests"]', 'testpaths = ["histories", "tests"]'))
    assert "3 passed" in (await run_pytest(beside))[1]
    pyproject.write_text(pyproject.read_text().replace('testpaths = ["histories", "tests"]', ""))
    assert "3 passed" in (await run_pytest(beside))[1]


@requirement("harness.plugin")
async def test_histories_without_their_manifest_fail(beside: Path) -> None:
    """A manifest that was lost is not the same as no histories. (ours)"""
    (beside / "histories" / "manifest.toml").unlink()
    for words in ((), ("-n", "2"), ("--replay-only",)):
        code, output = await run_pytest(beside, *words)
        assert code == 1
        assert "manifest.toml is missing, and there are histories" in output
        assert "1 failed" in output

    shutil.rmtree(beside / "histories")
    assert (await run_pytest(beside))[0] == 0


@requirement("harness.plugin")
async def test_an_accepted_drift_that_is_gone_is_told_at_the_end_of_a_run(beside: Path) -> None:
    """It passes: whoever took a change back has done nothing wrong. (ours)"""
    store = HistoryStore(beside / "histories")
    accepted = AcceptedDrift(sha256="x", why="Cheaper.")
    store.change(store.entry("trip/two-tools").model_copy(update={"accepted_drift": accepted}))

    for words in ((), ("-n", "2")):
        code, output = await run_pytest(beside, "--replay-only", *words)
        assert code == 0, output
        assert output.count("trip/two-tools.v0 sends what is recorded: the drift that was accepted (Cheaper.) is") == 1


@requirement("harness.plugin")
async def test_what_is_wrong_with_a_stored_history_is_said_without_our_sources(beside: Path) -> None:
    """What this code raises on purpose is a message; all else is a bug, with its traceback. (ours)"""
    stored, pyproject = beside / "histories/trip/two-tools.v0.json", beside / "pyproject.toml"
    whole = stored.read_bytes()
    for change, told in (
        (stored.unlink, "two-tools.v0.json cannot be read: No such file or directory."),
        (lambda: stored.write_text("{"), "two-tools.v0.json is no workflow history: JSONDecodeError"),
        (
            lambda: stored.write_bytes(whole.replace(b'"eventId": "7"', b'"eventId": "zz"')),
            'two-tools.v0.json is no workflow history: event 7 has the eventId "zz"',
        ),
        (
            lambda: stored.write_bytes(re.sub(rb'"data": "[^"]*"', b'"data": "!!!"', whole)),
            "two-tools.v0.json is no workflow history: event 1 has a payload that cannot be decoded",
        ),
        (
            lambda: pyproject.write_text(pyproject.read_text().replace("trip_agent:AGENT", "trip_agent:NONE")),
            "No agent at 'trip_agent:NONE'",
        ),
    ):
        change()
        code, output = await run_pytest(beside, "--replay-only")
        assert code == 1
        assert told in output
        assert "Error" not in output.replace("JSONDecodeError", "")
        assert "def runtest" not in output
        stored.write_bytes(whole)

    pyproject.write_text(HISTORIES_ALONE)
    (beside / "conftest.py").write_text(
        "from durable_loop.testing.histories.store import HistoryStore\nHistoryStore.read = lambda *_: 1 / 0\n"
    )
    assert "ZeroDivisionError" in (await run_pytest(beside, "--replay-only", "histories"))[1]


WITHOUT_ASYNCIO = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "pytest_asyncio" else find_spec(name, *more)
"""
SYNC = """
import asyncio
import pytest
from agents import Agent, Runner
from durable_loop.testing import CrashPoint, says

@pytest.mark.script(says("Hello Ada."))
def test_fake_model(fake_model, crash, histories):
    assert asyncio.run(Runner.run(Agent(name="x", model=fake_model), "I am Ada")).final_output == "Hello Ada."

def test_chat(chat): pass
def test_env(durable_env): pass
"""


@requirement("harness.plugin")
async def test_without_pytest_asyncio_there_is_what_does_without_a_loop(beside: Path) -> None:
    """The other fixtures say what is missing. (ours)"""
    (beside / "hidden.py").write_text(WITHOUT_ASYNCIO)
    (beside / "tests" / "test_other.py").write_text(SYNC)

    words = ("-p", "hidden", "-p", "no:asyncio", "tests")
    code, output = await run_pytest(beside, *words, PYTHONPATH=str(beside))

    assert code == 1
    assert "1 passed" in output
    for name in ("chat", "durable_env"):
        told = f"The fixture {name} needs pytest-asyncio, which is not installed: pip install 'durable-loop[testing]'"
        assert told in output
