"""The harness: test a durable agent against a real Temporal dev server, with a model that does what the test says.

`script` and `fake_model`: a dialogue, and the model that speaks it: a pure function of the request,
so that a retry, a replay and a worker that was killed and started again all get the same answer.
`environment`: one `async with` for dev server, workers, MCP servers and chats.
`crash`: named places at which a process is stopped, to be killed exactly there; `crash_matrix`: a test of all of them.
`fleet`: every process of the stack for itself, each to be killed and started again.
`histories`: record what happened and replay it without a server.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from durable_loop.testing.crash import CrashInterceptor, CrashPoint, CrashPoints, StoppedProcess
    from durable_loop.testing.crash_matrix import CrashMatrix
    from durable_loop.testing.durable_agent import DurableAgent
    from durable_loop.testing.environment import Agent, Environment, McpTransport, TestedChat, WorkerPlace
    from durable_loop.testing.errors import (
        DriftFoundError,
        HarnessError,
        HistoryChangedError,
        HistoryMissingError,
        LeakedProcessError,
        LostPlaceError,
        NonDeterminismFoundError,
        NoSuchHandoffError,
        ProcessNotReadyError,
        ScriptError,
        StuckWorkflowError,
        UnscriptedModelCallError,
        UnusedStepsError,
    )
    from durable_loop.testing.fake_model import FakeModel, FakeModelProvider
    from durable_loop.testing.fleet import Fleet, Member, Role
    from durable_loop.testing.histories import (
        Checked,
        Difference,
        Entry,
        Expectation,
        HistoryStore,
        RecordedHistory,
        Scenarios,
        Verdict,
        check_history,
        digest,
        fetch_history,
        fetch_runs,
        first_difference,
        replay_histories,
        replay_history,
        replay_prefixes,
    )
    from durable_loop.testing.mcp_http import over_http
    from durable_loop.testing.memory import InMemoryMCPServer
    from durable_loop.testing.processes import MortalProcess
    from durable_loop.testing.running_agent import RunningAgent
    from durable_loop.testing.script import Script
    from durable_loop.testing.steps import (
        Call,
        Calls,
        Delays,
        Fails,
        Floods,
        HandsOff,
        Loops,
        Says,
        Step,
        call,
        calls,
        delays,
        fails,
        fails_mid_stream,
        floods,
        garbles,
        hands_off_to,
        loops,
        says,
        streams,
    )

__all__ = [
    "Agent",
    "Call",
    "Calls",
    "Checked",
    "CrashInterceptor",
    "CrashMatrix",
    "CrashPoint",
    "CrashPoints",
    "Delays",
    "Difference",
    "DriftFoundError",
    "DurableAgent",
    "Entry",
    "Environment",
    "Expectation",
    "Fails",
    "FakeModel",
    "FakeModelProvider",
    "Fleet",
    "Floods",
    "HandsOff",
    "HarnessError",
    "HistoryChangedError",
    "HistoryMissingError",
    "HistoryStore",
    "InMemoryMCPServer",
    "LeakedProcessError",
    "Loops",
    "LostPlaceError",
    "McpTransport",
    "Member",
    "MortalProcess",
    "NoSuchHandoffError",
    "NonDeterminismFoundError",
    "ProcessNotReadyError",
    "RecordedHistory",
    "Role",
    "RunningAgent",
    "Says",
    "Scenarios",
    "Script",
    "ScriptError",
    "Step",
    "StoppedProcess",
    "StuckWorkflowError",
    "TestedChat",
    "UnscriptedModelCallError",
    "UnusedStepsError",
    "Verdict",
    "WorkerPlace",
    "call",
    "calls",
    "check_history",
    "delays",
    "digest",
    "fails",
    "fails_mid_stream",
    "fetch_history",
    "fetch_runs",
    "first_difference",
    "floods",
    "garbles",
    "hands_off_to",
    "loops",
    "over_http",
    "replay_histories",
    "replay_history",
    "replay_prefixes",
    "says",
    "streams",
]


# The crash points go into every process of a stack and must not drag agents and all workers into it:
# a name's module is imported when the name is asked for, the light ones first.
_MODULES = (
    "errors",
    "steps",
    "script",
    "crash",
    "processes",
    "fleet",
    "fake_model",
    "histories",
    "durable_agent",
    "running_agent",
    "memory",
    "mcp_http",
    "environment",
    "crash_matrix",  # needs pytest
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module_name in _MODULES:
            module = importlib.import_module(f"{__name__}.{module_name}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
