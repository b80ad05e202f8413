"""What the doctor tells, and how long it waits for what it looks at."""

from datetime import timedelta
from threading import Event

from durable_loop.cli import doctor
from durable_loop.cli.checks import Check, Finding, Verdict
from durable_loop.cli.terminal import Look
from durable_loop.errors import StackError
from tests.requirements import requirement

GOOD = Finding("good", Verdict.OK, "well")


@requirement("cli.doctor")
def test_a_check_that_does_not_end_is_wrong_and_not_waited_for() -> None:
    """Those behind it are told. (ours)"""
    ends = Event()

    def look() -> list[Finding]:
        ends.wait()
        return [GOOD]

    checks = [Check("slow", look), Check("good", lambda: [GOOD])]
    assert list(doctor.found_by(checks, patience=timedelta(milliseconds=10))) == [
        Finding("slow", Verdict.WRONG, "there was no answer within 0.01 s."),
        GOOD,
    ]
    assert not ends.is_set()
    ends.set()


@requirement("cli.doctor")
def test_what_a_check_refuses_is_a_finding() -> None:
    """In the words of the error. (ours)"""

    def look() -> list[Finding]:
        raise StackError("It is broken: mend it.")

    assert list(doctor.found_by([Check("bad", look)])) == [Finding("bad", Verdict.WRONG, "It is broken: mend it.")]


def test_a_finding_is_one_line() -> None:
    """In columns and colours for who looks, between tabs for a pipe. (ours)"""
    finding = Finding("model", Verdict.WRONG, "no\nkey\x1b[2J")

    assert doctor.line(finding, None) == "wrong\tmodel\tno key[2J\n"
    plain = Look(columns=80, plain=True, colours=False)
    assert doctor.line(finding, plain) == "wrong  model                no key[2J\n"
    coloured = Look(columns=80, plain=False, colours=True)
    assert doctor.line(finding, coloured) == "\x1b[31mwrong\x1b[0m  model                no key[2J\n"
