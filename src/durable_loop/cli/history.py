"""What the commands about recorded histories do."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from durable_loop.bootstrap.client import connect
from durable_loop.bootstrap.runtime import runtime
from durable_loop.cli.output import complain, write
from durable_loop.cli.screen import printable
from durable_loop.errors import SettingsError
from durable_loop.testing.durable_agent import DurableAgent, replayer_of
from durable_loop.testing.histories.checks import Checked, Verdict, check_history
from durable_loop.testing.histories.digest import digest
from durable_loop.testing.histories.drift import drift_sha256
from durable_loop.testing.histories.history import RecordedHistory, fetch_history
from durable_loop.testing.histories.manifest import stated
from durable_loop.testing.histories.pulling import file_name, pulled
from durable_loop.testing.histories.redaction import redacted, redacted_to_replay
from durable_loop.testing.histories.replaying import does_replay
from durable_loop.testing.histories.store import AcceptedDrift, Entry, Expectation, HistoryStore
from durable_loop.testing.histories.writing import make_folder, put, staged, telling_what_fails
from durable_loop.testing.project import Project

__all__ = ["accept", "check", "list_stored", "project", "pull", "record", "refresh", "show"]

WELL: Final = 0
BREAKS: Final = 1
DRIFTS: Final = 3
DISAGREES: Final = 4
NOT_RECORDED: Final = 1
WRONG_USE: Final = 2
PYTEST_WRONG_USE: Final = 4


def project(agents: Sequence[str] | None, folder: Path | None) -> Project:
    """Return what the current folder's project says, but for what the command line says.

    Raises:
        SettingsError: pyproject.toml cannot be read.
    """
    Runtime.set_default(runtime())  # for the replayers
    here = Project.read(Path.cwd())
    # Where `python -m` finds an agent, and pytest by what stands in pyproject.toml, a command must too.
    sys.path[:0] = [str(path) for path in (*here.pythonpath, Path.cwd())]
    return replace(here, agents=agents or here.agents, histories=folder or here.histories)


async def check(project: Project, what: Sequence[str]) -> int:
    """Check stored histories, or files; return the exit code. What is no history is told, and the others are checked.

    Raises:
        SettingsError: nothing is stored, or there is none with such a name.
    """
    store = HistoryStore(project.histories)
    chosen = [_found(store, name) for name in what] if what else [_stored(store, entry) for entry in store.entries()]
    readable, unreadable = _read(chosen)
    problems = unreadable if what else store.problems()
    if not chosen and not problems:
        raise SettingsError(f"There are no histories in {project.histories}.")
    for problem in problems:
        _warn(problem)
    agents = _agents(project)
    checked = [await _checked(agents, one.name, history, one.entry) for one, history in readable]
    return _summed_up(checked) or (DISAGREES if problems else WELL)


def list_stored(project: Project) -> None:
    """Print what is stored, in columns.

    Raises:
        SettingsError: nothing is.
    """
    entries = HistoryStore(project.histories).entries()
    if not entries:
        raise SettingsError(f"There are no histories in {project.histories}.")
    for entry in entries:
        drift = ", accepted drift" if entry.accepted_drift else ""
        _tell(f"{entry.id:<44} {entry.workflow:<20} {entry.events:>5} events  {entry.expect}{drift}: {entry.why}")


def show(project: Project, what: str) -> None:
    """Print a history's digest."""
    found = _found(HistoryStore(project.histories), what)
    write(printable(digest(RecordedHistory.read(found.path))))


async def record(
    project: Project,
    workflow_id: str,
    *,
    name: str,
    why: str,
    run: str | None,
    namespace: str | None,
    allowed: Sequence[str],
) -> None:
    """Store the history of a running workflow."""
    client = await connect(namespace=namespace)
    try:
        history = await fetch_history(client.get_workflow_handle(workflow_id, run_id=run))
    except RPCError as error:
        raise SettingsError(f"There is no history of {workflow_id} in {client.namespace}: {error.message}.") from error
    entry = HistoryStore(project.histories).keep(name, history, why=why, allowed=allowed)
    _tell(f"{entry.id}: {entry.events} events of {entry.workflow}")


def refresh(project: Project, names: Sequence[str], *, anew: bool) -> int:
    """Run pytest so that it records; return the exit code: 0 where all is recorded and no test failed.

    Raises:
        SettingsError: there is no such scenario, or `anew` is not allowed any more.
    """
    store = HistoryStore(project.histories)
    known = {entry.name for entry in store.entries()}
    if unknown := [name for name in names if name not in known]:
        raise SettingsError(
            f"There is no scenario {', '.join(unknown)} in {project.histories}. "
            f"There are: {', '.join(sorted(known)) or 'none'}. A new one: pytest --record-histories."
        )
    if anew:
        project.may_record_anew()
    before = {name: _written(store, name) for name in names}
    options = [word for name in names for word in ("--refresh-histories", name)]
    command = (sys.executable, "-m", "pytest", *options, *(["--anew"] if anew else []))
    code = subprocess.run(command, check=False).returncode  # noqa: S603 - our own words and names of histories
    if code == PYTEST_WRONG_USE:
        return WRONG_USE
    missing = [name for name in names if _written(store, name) == before[name]]
    for name in missing:
        _warn(f"{name} is not recorded: no test that passed came to `histories.match({name!r}, …)`.")
    return NOT_RECORDED if code or missing else WELL


def _written(store: HistoryStore, name: str) -> tuple[str, int] | None:
    """Return which generation of a scenario is the newest, and when its file was written."""
    newest = store.newest(name)
    return (newest.id, store.path(newest).stat().st_mtime_ns) if newest and store.path(newest).exists() else None


async def accept(project: Project, name: str, *, why: str, breaks: bool) -> None:
    """Change a stored history's entry so that what this code does passes.

    Raises:
        SettingsError: there is no such history, no reason, or nothing of that kind to accept.
    """
    why = stated(why)
    store = HistoryStore(project.histories)
    entry = store.entry(name)
    bare = entry.model_copy(update={"accepted_drift": None})
    checked = await check_history(
        store.read(entry), replayer_of(_agents(project), entry.workflow), name=entry.id, entry=bare
    )
    wanted = Verdict.BREAKS if breaks else Verdict.DRIFTS
    if checked.verdict is not wanted:
        raise SettingsError(f"{entry.id} {checked.verdict}: there is nothing of that kind to accept.")
    if breaks:
        store.change(entry.model_copy(update={"expect": Expectation.NONDETERMINISM, "why": f"{entry.why} ({why})"}))
    else:
        accepted = AcceptedDrift(sha256=drift_sha256(checked.drift), why=why)
        store.change(entry.model_copy(update={"accepted_drift": accepted}))
    _tell(f"{entry.id}: accepted, since {why}")


async def pull(
    project: Project,
    query: str,
    *,
    address: str | None,
    namespace: str | None,
    limit: int,
    to: Path | None,
    redact: bool,
) -> int:
    """Fetch, check and keep the histories that a filter finds; return the exit code."""
    agents = _agents(project)
    if to is not None:
        make_folder(to)
    client = await connect(address=address, namespace=namespace)
    checked: list[Checked | None] = []
    readable: set[str] = set()  # what one history needs, others of its kind do
    try:
        async for run in pulled(client, query, limit=limit):
            if (history := run.history) is None:
                _warn(f"{run.name} was deleted meanwhile: nothing of it can break.")
                continue
            found = await _checked(agents, run.name, history, None)
            checked.append(found)
            if found is None:
                continue
            kept: RecordedHistory | None = history
            if redact:
                breaks = found.verdict is Verdict.BREAKS
                kept = redacted(history) if breaks else await _covered(history, agents, readable)
            if to is not None and kept is not None:
                _write(kept, to)
    except RPCError as error:
        raise SettingsError(_why_not_listed(error, client.namespace, query)) from error
    if not checked:
        raise SettingsError(f"No workflow in {client.namespace} matches {query!r}.")
    return _summed_up(checked)


def _why_not_listed(error: RPCError, namespace: str, query: str) -> str:
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return f"There is no namespace {namespace} on that Temporal: say --namespace. {error.message}"
        case RPCStatusCode.INVALID_ARGUMENT:
            return f"Temporal does not take the query {query!r}: {error.message}"
        case _:
            return f"Temporal does not list the workflows of {namespace}: {error.message}"


async def _covered(history: RecordedHistory, agents: Sequence[DurableAgent], known: set[str]) -> RecordedHistory | None:
    """Return a history without what was said, that replays; say which fields of it stay readable, and note them."""
    make_replayer = replayer_of(agents, history.workflow_type)
    found = await redacted_to_replay(history, lambda covered: does_replay(covered, make_replayer), known=known)
    if found is None or (await check_history(found.history, make_replayer, name="")).verdict is Verdict.BREAKS:
        _warn(f"{history.workflow_id} is not kept: without its texts it does not replay.")
        return None
    known.update(found.readable)
    readable = (
        f"readable are words and small numbers in {', '.join(found.readable)}" if found.readable else "all covered"
    )
    _tell(f"{history.workflow_id} is kept as {found.history.workflow_id}: {readable}")
    return found.history


def _write(history: RecordedHistory, folder: Path) -> None:
    path = folder / file_name(history)
    with telling_what_fails(folder):
        staged(path).unlink(missing_ok=True)
        history.write(staged(path))
        put(path)  # over an older one: an open chat goes on, and has more to show


async def _checked(
    agents: Sequence[DurableAgent], name: str, history: RecordedHistory, entry: Entry | None
) -> Checked | None:
    """Check a history, and tell what came of it; None where no agent here has its workflow."""
    try:
        make_replayer = replayer_of(agents, history.workflow_type)
    except SettingsError as error:
        _tell(f"{name} cannot be replayed. {error}")
        return None
    checked = await check_history(history, make_replayer, name=name, entry=entry)
    if checked.words:
        _tell(checked.words)
    else:
        _tell(f"{name}: {checked.verdict} ({checked.events} events)")
    if checked.note:
        _tell(checked.note)
    return checked


def _summed_up(checked: Sequence[Checked | None]) -> int:
    counts = Counter(each.verdict for each in checked if each is not None)
    unknown = checked.count(None)
    told = [f"{count} {verdict}" for verdict, count in sorted(counts.items())]
    if checked:
        _tell(", ".join([*told, *([f"{unknown} of no agent here"] if unknown else [])]))
    # A workflow that no worker has is stuck as well.
    if counts[Verdict.BREAKS] or counts[Verdict.UNNOTICED] or unknown:
        return BREAKS
    return DRIFTS if counts[Verdict.DRIFTS] else WELL


@dataclass(frozen=True)
class _Named:
    """A history that somebody named: what it is called, its file, and its entry where it is a stored one."""

    name: str
    path: Path
    entry: Entry | None = None


def _stored(store: HistoryStore, entry: Entry) -> _Named:
    return _Named(entry.id, store.path(entry), entry)


def _found(store: HistoryStore, what: str) -> _Named:
    """Find a file, or a stored history by its id or name.

    Raises:
        SettingsError: there is none.
    """
    path = Path(what)
    if path.is_file():
        return _Named(what, path)
    if path.suffix == ".json":
        raise SettingsError(f"There is no file {what}.")
    if path.is_dir() and store.newest(what) is None:
        raise SettingsError(f"{what} is a folder, and no history: for the histories in it say --folder {what}.")
    return _stored(store, store.entry(what))


def _read(named: Iterable[_Named]) -> tuple[list[tuple[_Named, RecordedHistory]], list[str]]:
    """Return the histories, and, in words, which files hold none."""
    readable: list[tuple[_Named, RecordedHistory]] = []
    unreadable: list[str] = []
    for one in named:
        try:
            readable.append((one, RecordedHistory.read(one.path)))
        except SettingsError as error:
            unreadable.append(str(error))
    return readable, unreadable


def _agents(project: Project) -> Sequence[DurableAgent]:
    try:
        return [DurableAgent.load(path) for path in project.agents]
    except SettingsError as error:
        if not isinstance(error.__cause__, ModuleNotFoundError):
            raise
        raise SettingsError(
            f"{error} Modules are found in the current folder, and in pytest's pythonpath where that stands in "
            "pyproject.toml: pytest.ini, tox.ini and the like are not read here."
        ) from error


def _tell(words: str) -> None:
    """Write a line; names in a history are anybody's."""
    write(f"{printable(words)}\n")


def _warn(words: str) -> None:
    complain(f"{printable(words)}\n")
