"""The pytest plugin (entry point `pytest11`). Every pytest run imports it: what takes long comes in later.

Stored histories are tests: a run that names no paths, or that comes by their folder, replays each of them, without a
server.
"""

import asyncio
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from durable_loop.testing import fixtures
from durable_loop.testing.layout import MANIFEST, Layout
from durable_loop.testing.run_state import PASSED, REPORT, SCENARIOS, Report, has_passed, project_of

if TYPE_CHECKING:
    from durable_loop.testing.histories.store import Entry, HistoryStore

__all__ = [
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_runtest_teardown",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

_REPORT = "durable_loop_report"
_LAYOUT = pytest.StashKey[Layout]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("durable-loop", "durable agents")
    group.addoption("--record-histories", action="store_true", help="Record the histories of scenarios that have none.")
    group.addoption(
        "--refresh-histories",
        action="append",
        default=[],
        metavar="AREA/SCENARIO",
        help="Record the next generation of a scenario's history.",
    )
    group.addoption(
        "--anew", action="store_true", help="With --refresh-histories: in the place of the newest one (before 0.1.0)."
    )
    group.addoption(
        "--replay-only", action="store_true", help="Run nothing but the replay of stored histories: no server needed."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures, and the stored histories."""
    config.addinivalue_line(
        "markers", "script(*steps): what the model of `fake_model`, `chat` and `running_agent` says."
    )
    config.stash[REPORT] = Report()
    config.stash[_LAYOUT] = Layout.read(config.rootpath)
    _come_by_histories(config)
    config.pluginmanager.register(fixtures, "durable-loop-fixtures")
    if find_spec("pytest_asyncio") is not None:
        from durable_loop.testing import async_fixtures as running  # noqa: PLC0415 - it imports pytest-asyncio
    else:
        from durable_loop.testing import missing_fixtures as running  # noqa: PLC0415 - as above
    config.pluginmanager.register(running, "durable-loop-async-fixtures")


def _come_by_histories(config: pytest.Config) -> None:
    """Have a run that names no paths come by the stored histories, wherever they are."""
    names_paths = config.args_source is pytest.Config.ArgsSource.ARGS
    if names_paths or config.invocation_params.dir != config.rootpath:
        return
    layout = config.stash[_LAYOUT]
    comes_by = any(layout.histories.is_relative_to((config.rootpath / path).resolve()) for path in config.args)
    if not comes_by and layout.first() is not None:
        config.args = [*config.args, str(layout.histories)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Make tests of the manifest in the folder of the project's histories; of a history where there is none."""
    layout = parent.config.stash[_LAYOUT]
    if file_path.name == MANIFEST and layout.is_said:
        project_of(parent.config)  # what is wrong in our table is told here
    if not file_path.is_relative_to(layout.histories) or file_path != layout.first():
        return None
    return _Stored.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out all but the histories where that is asked for, and those whose next generation is recorded now."""
    left_out = [
        item
        for item in items
        if (config.option.replay_only and not isinstance(item, _Check))
        or (isinstance(item, _History) and item.scenario in config.option.refresh_histories)
    ]
    if left_out:
        items[:] = [item for item in items if item not in frozenset(left_out)]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest's own, which knows xfail
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether a test has passed, for the fixtures that end after it."""
    report = yield
    item.stash[PASSED] = report.when == "call" and report.passed
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Keep what a test has recorded if it has passed, and if its fixtures have not failed it since."""
    scenarios = item.config.stash.get(SCENARIOS, None)
    try:
        yield
        if scenarios is not None and has_passed(item):
            scenarios.keep()
    finally:
        if scenarios is not None:
            scenarios.forget()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of pytest-xdist did (`node` is its controller)."""
    node.config.stash[REPORT].add(Report(**getattr(node, "workeroutput", {}).get(_REPORT, {})))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Count what was compared and recorded; hand it over if this is a process of pytest-xdist."""
    report = session.config.stash[REPORT]
    if (scenarios := session.config.stash.get(SCENARIOS, None)) is not None:
        report.compared += scenarios.compared
        report.recorded += [entry.id for entry in scenarios.recorded]
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[_REPORT] = asdict(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was replayed."""
    report = config.stash[REPORT]
    if not (report.replayed or report.compared or report.recorded):
        return
    terminalreporter.section("durable histories")
    if report.replayed:
        replayed = _counted(report.replayed, "history", "histories")
        rate = f", {report.replayed / report.seconds:.0f} a second" if report.seconds else ""
        terminalreporter.write_line(
            f"{replayed} replayed ({report.events:,} events, {report.prefixes:,} prefixes) "
            f"in {report.seconds:.1f} s{rate}; {report.drifted or 'none'} drifted"
        )
    for note in report.notes:
        terminalreporter.write_line(note)
    if report.compared:
        compared = _counted(report.compared, "fresh history", "fresh histories")
        terminalreporter.write_line(f"{compared} compared with what is stored")
    for id_ in report.recorded:
        terminalreporter.write_line(f"recorded {id_}")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


class _Stored(pytest.File):
    """The stored histories: one test for the folder, and one for each."""

    def collect(self) -> Iterator[pytest.Item]:
        from durable_loop.errors import DurableLoopError  # noqa: PLC0415 - seconds, for whoever has histories
        from durable_loop.testing.histories.store import HistoryStore  # noqa: PLC0415 - as above

        store = HistoryStore(project_of(self.config).histories)
        try:
            entries = store.entries()
        except DurableLoopError as error:
            raise self.CollectError(str(error)) from error
        yield cast("pytest.Item", _Listed.from_parent(self, name="folder", store=store))  # pyright: ignore[reportUnknownMemberType]
        for entry in entries:
            yield cast("pytest.Item", _History.from_parent(self, name=entry.id, store=store, entry=entry))  # pyright: ignore[reportUnknownMemberType]


class _Check(pytest.Item):
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what we raise on purpose as it is, and anything else with its traceback."""
        from durable_loop.errors import DurableLoopError  # noqa: PLC0415 - as above

        if isinstance(excinfo.value, DurableLoopError | pytest.UsageError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class _Listed(_Check):
    """Manifest and folder agree."""

    def __init__(self, *, store: "HistoryStore", **of_pytest: Any) -> None:
        super().__init__(**of_pytest)  # pyright: ignore[reportUnknownMemberType]
        self._store = store

    def runtest(self) -> None:
        if problems := self._store.problems():
            pytest.fail("\n".join(problems), pytrace=False)


class _History(_Check):
    """A stored history replays as its entry says."""

    def __init__(self, *, store: "HistoryStore", entry: "Entry", **of_pytest: Any) -> None:
        super().__init__(**of_pytest)  # pyright: ignore[reportUnknownMemberType]
        self._store = store
        self._entry = entry
        self.scenario = entry.name

    def runtest(self) -> None:
        from durable_loop.testing.durable_agent import DurableAgent, replayer_of  # noqa: PLC0415 - as above
        from durable_loop.testing.histories.checks import Verdict, check_history  # noqa: PLC0415 - as above

        agents = [DurableAgent.load(path) for path in project_of(self.config).agents]
        make_replayer = replayer_of(agents, self._entry.workflow)
        history = self._store.read(self._entry)
        began = time.perf_counter()
        checked = asyncio.run(check_history(history, make_replayer, name=self._entry.id, entry=self._entry))
        report = self.config.stash[REPORT]
        report.seconds += time.perf_counter() - began
        report.replayed += 1
        report.events += checked.events
        report.prefixes += checked.prefixes
        report.drifted += checked.verdict is Verdict.DRIFTS
        if checked.note:
            report.notes.append(checked.note)
        if not checked.is_well:
            pytest.fail(checked.words, pytrace=False)
