"""`durable-loop doctor`: looks at what a chat needs, and says how to mend it."""

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from durable_loop.bootstrap.client import configured_address
from durable_loop.cli import checks, screen
from durable_loop.cli.checks import Check, Finding, Verdict
from durable_loop.cli.output import is_terminal, write, write_json
from durable_loop.cli.terminal import Look
from durable_loop.errors import SettingsError, SetupError
from durable_loop.settings import Settings, load_settings

__all__ = ["found_by", "line", "run_doctor"]

SOMETHING_IS_WRONG: Final = 1
# Longer than any check waits for an answer by itself.
PATIENCE: Final = timedelta(seconds=30)
_COLOURS: Final = {Verdict.OK: 32, Verdict.WARN: 33, Verdict.WRONG: 31}


def run_doctor(*, as_json: bool) -> int:
    """Tell each finding as soon as it is known; the exit code says whether something is wrong."""
    look, encoding = Look.now(), sys.stdout.encoding or "utf-8"
    findings = list[Finding]()
    for finding in _all_findings(look, encoding):
        findings.append(finding)
        if not as_json:
            write(line(finding, look if is_terminal(sys.stdout) else None))
    wrong = any(finding.verdict is Verdict.WRONG for finding in findings)
    if as_json:
        told = [{"what": each.what, "verdict": each.verdict, "said": each.said} for each in findings]
        write_json({"ok": not wrong, "checks": told})
    return SOMETHING_IS_WRONG if wrong else 0


def line(finding: Finding, look: Look | None) -> str:
    """Return the line of a finding: in columns for who looks at it, between tabs for a pipe."""
    said = screen.on_one_line(finding.said)
    if look is None:
        return f"{finding.verdict}\t{finding.what}\t{said}\n"
    verdict = f"{finding.verdict:<5}"
    if look.colours:
        verdict = f"\x1b[{_COLOURS[finding.verdict]}m{verdict}\x1b[0m"
    return f"{verdict}  {finding.what:<19}  {said}\n"


def found_by(all_checks: Iterable[Check], *, patience: timedelta = PATIENCE) -> Iterator[Finding]:
    """Look at everything at once, and tell in order; what takes too long is wrong, and is left to itself."""
    threads = ThreadPoolExecutor()
    looking = [(check.what, threads.submit(check.look)) for check in all_checks]
    for what, found in looking:
        try:
            yield from found.result(patience.total_seconds())
        except TimeoutError:
            yield Finding(what, Verdict.WRONG, f"there was no answer within {patience.total_seconds():g} s.")
        except SetupError as error:
            yield Finding(what, Verdict.WRONG, str(error))


def _all_findings(look: Look, encoding: str) -> Iterator[Finding]:
    yield checks.python()
    yield checks.terminal(look, encoding)
    reading = ThreadPoolExecutor().submit(_read_settings)
    try:
        settings = reading.result(PATIENCE.total_seconds())
    except TimeoutError:
        yield Finding("settings", Verdict.WRONG, "they cannot be read in time: look at .env and at Temporal's files.")
    except SettingsError as error:
        yield Finding("settings", Verdict.WRONG, f"{error} What depends on them was not looked at.")
    else:
        yield checks.settings_file()
        yield from found_by(checks.all_checks(settings))


def _read_settings() -> Settings:
    settings = load_settings()
    configured_address()  # Temporal's own, too
    return settings
