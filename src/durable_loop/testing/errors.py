"""What the harness raises: each is a test that failed, in words.

HarnessError
├── UnscriptedModelCallError    the agent called the model where the script has no step
├── LostPlaceError              a request does not fit where it seems to stand in the script
│   └── NoSuchHandoffError      the script hands off to an agent to which there is no handoff
├── ScriptError                 a script is none, or its file cannot be read
├── UnusedStepsError            the script has steps that no call asked for
├── NonDeterminismFoundError    a history does not replay on this code
├── DriftFoundError             a history replays, and something else is sent
├── HistoryChangedError         a scenario tells another story than the stored one
├── HistoryMissingError         a scenario was never recorded
├── StuckWorkflowError          a workflow has no result, and what it waits for
├── ProcessNotReadyError        a worker or server process ended before it could be used
└── LeakedProcessError          a process that a test started is still there
"""

from collections.abc import Mapping, Sequence

from durable_loop.errors import DurableLoopError

__all__ = [
    "DriftFoundError",
    "HarnessError",
    "HistoryChangedError",
    "HistoryMissingError",
    "LeakedProcessError",
    "LostPlaceError",
    "NoSuchHandoffError",
    "NonDeterminismFoundError",
    "ProcessNotReadyError",
    "ScriptError",
    "StuckWorkflowError",
    "UnscriptedModelCallError",
    "UnusedStepsError",
]

_PUT_BACK = "Put the commands back into their old order, or keep both paths with `workflow.patched`."


class HarnessError(DurableLoopError):
    """The base of the harness's errors."""


class ScriptError(HarnessError):
    """What was written is no script, or its file cannot be read."""


class UnscriptedModelCallError(HarnessError):
    """The agent called the model where the script has no step."""

    def __init__(self, *, position: str, transcript: str, nearest: str) -> None:
        self.position = position
        self.transcript = transcript
        self.nearest = nearest
        super().__init__(
            f"The script has no step for {position}.\nThe transcript so far:\n{transcript}\nThe nearest step: {nearest}"
        )


class LostPlaceError(HarnessError):
    """A request does not fit where it seems to stand in the script, and a wrong step would be answered."""

    def __init__(self, *, position: str, reason: str) -> None:
        self.position = position
        self.reason = reason
        super().__init__(
            f"This request seems to stand at {position} of the script, and does not fit there: {reason}.\n"
            "Where something takes out of a request what was said before (a handoff's filter as remove_all_tools, its "
            "mapper of the history, a filter of the model's input, a session's limit, a conversation that a server "
            "keeps), no place can be read from it: leave that out in the test, or give the model that takes over a "
            "name and a script of its own, Script(models={…})."
        )


class NoSuchHandoffError(LostPlaceError):
    """The script hands off to an agent to which the one that asks has no handoff."""

    def __init__(self, *, position: str, agent: str, offered: Sequence[str]) -> None:
        self.agent = agent
        self.offered = tuple(offered)
        there = f"write one of those that it has: {', '.join(offered)}" if offered else "it has none at all"
        super().__init__(
            position=position,
            reason=f"the script hands off to {agent}, and the agent that asks has no handoff to it ({there})",
        )


class UnusedStepsError(HarnessError):
    """The script has steps that no model call asked for."""

    def __init__(self, steps: Sequence[str], messages: Mapping[str, int] | None = None) -> None:
        """Make it from the steps in words, and how many messages of a user were answered at each place."""
        self.steps = steps
        shared = [
            f"{count} different messages were answered at {place}: if they are turns of one conversation, something "
            "leaves out of the requests what was said before them."
            for place, count in (messages or {}).items()
            if count > 1
        ]
        unused = [f"  {step}" for step in steps]
        super().__init__("\n".join(("These steps of the script were never used:", *unused, *shared)))


class NonDeterminismFoundError(HarnessError):
    """A recorded history does not replay on this code: an open chat would be stuck."""

    def __init__(self, *, history: str, reason: str, advice: str = _PUT_BACK) -> None:
        self.history = history
        self.reason = reason
        super().__init__(f"{history} does not replay: {reason}\n{advice}")


class DriftFoundError(HarnessError):
    """A history replays, but other payloads are sent: nothing is stuck, and the behaviour is another one."""

    def __init__(self, *, history: str, drift: str) -> None:
        self.history = history
        self.drift = drift
        super().__init__(f"{history} replays, and something else is sent:\n{drift}")


class StuckWorkflowError(HarnessError):
    """A workflow that should have ended has not."""

    def __init__(self, *, workflow: str, waits_for: list[str]) -> None:
        self.workflow = workflow
        self.waits_for = waits_for
        super().__init__(f"{workflow} has no result yet. It waits for:\n" + "\n".join(f"  {one}" for one in waits_for))


class HistoryChangedError(HarnessError):
    """A scenario tells another story than its stored history."""

    def __init__(self, *, history: str, difference: str) -> None:
        self.history = history
        self.difference = difference
        super().__init__(
            f"This run is another one than {history} tells. {difference}\n"
            f"Where that is meant: durable-loop history refresh {history.rpartition('.v')[0]}"
        )


class HistoryMissingError(HarnessError):
    """A scenario has no stored history."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} was never recorded. Record it: pytest --record-histories")


class ProcessNotReadyError(HarnessError):
    """A process of the environment ended, or said nothing, before it could be used."""

    def __init__(self, *, name: str, output: str) -> None:
        self.name = name
        self.output = output
        super().__init__(f"{name} did not become ready. The end of its output:\n{output}")


class LeakedProcessError(HarnessError):
    """Processes that were started while the environment was there outlived it; they were ended."""

    def __init__(self, processes: list[str]) -> None:
        self.processes = processes
        super().__init__(
            "These processes were still running after the test and were killed:\n"
            + "\n".join(f"  {process}" for process in processes)
            + "\nEnd what you start: with `async with`, or in the worker's own shutdown. "
            "What is to live longer has to be started before the environment, in a fixture of its own."
        )
