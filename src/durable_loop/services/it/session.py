"""An IT session as a state machine: every change is applied once per key. Nothing here awaits."""

from datetime import datetime
from typing import Final

from durable_loop.services.it.messages import (
    Answer,
    IpHistory,
    ItSessionState,
    JiraProject,
    SetJiraProject,
    TrackedIp,
    TrackIp,
)

__all__ = ["KEPT_ADDRESSES", "KEPT_ANSWERS", "ItSession"]

# Bounds what is carried over to about 300 kB (a payload may have 2 MB) ...
KEPT_ANSWERS: Final = 1000
# ... and what a model has to read.
KEPT_ADDRESSES: Final = 100

_HOSTS_IN_A_NETWORK: Final = 254


class ItSession:
    """A project and a list of addresses, changed by requests that each carry a key."""

    def __init__(self, carried: ItSessionState) -> None:
        self._project = carried.project
        self._history = carried.history
        self._answers = dict(carried.answers)

    @property
    def project(self) -> str | None:
        """The JIRA project, if one was set."""
        return self._project

    @property
    def history(self) -> IpHistory:
        """The addresses tracked so far."""
        return self._history

    def set_jira_project(self, request: SetJiraProject) -> None:
        """Make this the session's project; a key seen before changes nothing."""
        if request.key not in self._answers:
            self._project = request.project
            self._answer(request.key, JiraProject(project=request.project))

    def track_ip(self, request: TrackIp, *, now: datetime) -> None:
        """Track the next address; a key seen before changes nothing."""
        if request.key not in self._answers:
            number = self._history.tracked + 1
            ip = TrackedIp(number=number, address=_demo_address(number), tracked_at=now)
            self._history = IpHistory(addresses=(*self._history.addresses, ip)[-KEPT_ADDRESSES:], tracked=number)
            self._answer(request.key, ip)

    def answer(self, key: str) -> Answer | None:
        """Return the answer to the change with this key: None if there was none, or it is long ago."""
        return self._answers.get(key)

    def carry(self) -> ItSessionState:
        """Return what the next run needs to go on as if nothing had happened."""
        return ItSessionState(project=self._project, history=self._history, answers=self._answers)

    def _answer(self, key: str, answer: Answer) -> None:
        self._answers[key] = answer
        if len(self._answers) > KEPT_ANSWERS:
            del self._answers[next(iter(self._answers))]


def _demo_address(number: int) -> str:
    network, host = divmod(number - 1, _HOSTS_IN_A_NETWORK)
    return f"172.16.{network % 256}.{host + 1}"
