"""What the commands about recorded histories do."""

import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import typer
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError

from durable_loop.bootstrap.client import connect
from durable_loop.errors import SettingsError
from durable_loop.testing.durable_agent import DurableAgent, replayer_of
from durable_loop.testing.errors import NonDeterminismFoundError
from durable_loop.testing.histories.checks import Checked, Verdict, check_history, drift_sha256
from durable_loop.testing.histories.digest import digest
from durable_loop.testing.histories.history import RecordedHistory, fetch_history
from durable_loop.testing.histories.pulling import file_name, pulled
from durable_loop.testing.histories.redaction import redacted, redacted_to_replay
from durable_loop.testing.histories.replaying import replay_history
from durable_loop.testing.histories.store import AcceptedDrift, Entry, Expectation, HistoryStore
from durable_loop.testing.project import Project

__all__ = ["accept", "check", "list_stored", "project", "pull", "record", "refresh", "show"]

WELL: Final = 0
BREAKS: Final = 1
DRIFTS: Final = 3
DISAGREES: Final = 4


def project(agents: Sequence[str] | None, folder: Path | None) -> Project:
    """Return what the current folder's project says, but for what the command line says.

    Raises:
        SettingsError: pyproject.toml cannot be read.
    """
    _quiet()
    here = Project.read(Path.cwd())
    sys.path.insert(0, str(Path.cwd()))  # where `python -m` finds an agent, a command must too
    return Project(agents=agents or here.agents, histories=folder or here.histories, version=here.version)


def _quiet() -> None:
    """Have Temporal say nothing of a history that does not replay: we do, and in a sentence."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    filters = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=filters))))


async def check(project: Project, what: Sequence[str]) -> int:
    """Check stored histories, or files; return the exit code."""
    store = HistoryStore(project.histories)
    problems = [] if what else store.problems()
    for problem in problems:
        typer.echo(problem, err=True)
    missing = {entry.id for entry in store.entries() if not store.path(entry).exists()}
    chosen = (
        [_found(store, name) for name in what]
        if what
        else [(entry.id, store.read(entry), entry) for entry in store.entries() if entry.id not in missing]
    )
    if not chosen and not problems:
        raise SettingsError(f"There are no histories in {project.histories}.")
    agents = _agents(project)
    checked = [await _checked(agents, name, history, entry) for name, history, entry in chosen]
    return _summed_up(checked) or (DISAGREES if problems else WELL)


def list_stored(project: Project) -> None:
    """Print what is stored, in columns."""
    for entry in HistoryStore(project.histories).entries():
        drift = ", accepted drift" if entry.accepted_drift else ""
        typer.echo(f"{entry.id:<44} {entry.workflow:<20} {entry.events:>5} events  {entry.expect}{drift}: {entry.why}")


def show(project: Project, what: str) -> None:
    """Print a history's digest."""
    _, history, _ = _found(HistoryStore(project.histories), what)
    typer.echo(digest(history), nl=False)


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
    typer.echo(f"{entry.id}: {entry.events} events of {entry.workflow}")


def refresh(names: Sequence[str], *, anew: bool) -> int:
    """Run pytest so that it records; return its exit code."""
    options = [word for name in names for word in ("--refresh-histories", name)]
    command = (sys.executable, "-m", "pytest", *options, *(["--anew"] if anew else []))
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own words and names of histories


async def accept(project: Project, name: str, *, why: str, breaks: bool) -> None:
    """Change a stored history's entry so that what this code does passes."""
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
    typer.echo(f"{entry.id}: accepted, since {why}")


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
    client = await connect(address=address, namespace=namespace)
    checked: list[Checked] = []
    readable: set[str] = set()  # what one history needs, others of its kind do
    try:
        async for history in pulled(client, query, limit=limit):
            checked.append(await _checked(agents, f"{history.workflow_id} ({history.run_id})", history, None))
            kept: RecordedHistory | None = history
            if redact:
                breaks = checked[-1].verdict is Verdict.BREAKS
                kept = redacted(history) if breaks else await _covered(history, agents, readable)
            if to is not None and kept is not None:
                _write(kept, to)
    except RPCError as error:
        raise SettingsError(f"Temporal does not take the query {query!r}: {error.message}") from error
    if not checked:
        raise SettingsError(f"No workflow in {client.namespace} matches {query!r}.")
    return _summed_up(checked)


async def _covered(history: RecordedHistory, agents: Sequence[DurableAgent], known: set[str]) -> RecordedHistory | None:
    """Return a history without what was said, that replays; say which fields of it stay readable, and note them."""
    make_replayer = replayer_of(agents, history.workflow_type)

    async def replays(covered: RecordedHistory) -> bool:
        try:
            await replay_history(covered, make_replayer)
        except NonDeterminismFoundError:
            return False
        return True

    found = await redacted_to_replay(history, replays, known=known)
    if found is None or (await check_history(found.history, make_replayer, name="")).verdict is Verdict.BREAKS:
        typer.echo(f"{history.workflow_id} is not kept: without its texts it does not replay.", err=True)
        return None
    known.update(found.readable)
    readable = (
        f"readable are words and small numbers in {', '.join(found.readable)}" if found.readable else "all covered"
    )
    typer.echo(f"{history.workflow_id} is kept as {found.history.workflow_id}: {readable}")
    return found.history


def _write(history: RecordedHistory, folder: Path) -> None:
    path = folder / file_name(history)
    path.unlink(missing_ok=True)  # an open chat goes on: pulled again, it has more to show
    try:
        history.write(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.") from error


async def _checked(agents: Sequence[DurableAgent], name: str, history: RecordedHistory, entry: Entry | None) -> Checked:
    checked = await check_history(history, replayer_of(agents, history.workflow_type), name=name, entry=entry)
    if checked.words:
        typer.echo(checked.words)
    else:
        typer.echo(f"{name}: {checked.verdict} ({checked.events} events)")
    return checked


def _summed_up(checked: Iterable[Checked]) -> int:
    counts = Counter(each.verdict for each in checked)
    typer.echo(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    if counts[Verdict.BREAKS] or counts[Verdict.UNNOTICED]:
        return BREAKS
    return DRIFTS if counts[Verdict.DRIFTS] else WELL


def _found(store: HistoryStore, what: str) -> tuple[str, RecordedHistory, Entry | None]:
    path = Path(what)
    if path.suffix == ".json" or path.is_file():
        return what, RecordedHistory.read(path), None
    entry = store.entry(what)
    return entry.id, store.read(entry), entry


def _agents(project: Project) -> Sequence[DurableAgent]:
    return [DurableAgent.load(path) for path in project.agents]
