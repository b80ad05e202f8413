"""The harness: test a durable agent against a real Temporal dev server, with a model that does what the test says.

`script` and `fake_model`: a dialogue, and the model that speaks it: a pure function of the request,
so that a retry, a replay and a worker that was killed and started again all get the same answer.
`environment`: one `async with` for dev server, workers, MCP servers and chats.
`crash`: named places at which a process is stopped, to be killed exactly there.
`histories`: record what happened and replay it without a server.
"""

from durable_loop.testing.crash import CrashInterceptor, CrashPoint, CrashPoints, StoppedProcess
from durable_loop.testing.environment import Agent, Environment, McpTransport, TestedChat, WorkerPlace
from durable_loop.testing.errors import (
    HarnessError,
    NonDeterminismFoundError,
    ProcessNotReadyError,
    UnscriptedModelCallError,
    UnusedStepsError,
)
from durable_loop.testing.fake_model import FakeModel, FakeModelProvider
from durable_loop.testing.histories import RecordedHistory, fetch_history, replay_history
from durable_loop.testing.script import Call, Calls, Fails, Says, Script, Step, call, calls, fails, says

__all__ = [
    "Agent",
    "Call",
    "Calls",
    "CrashInterceptor",
    "CrashPoint",
    "CrashPoints",
    "Environment",
    "Fails",
    "FakeModel",
    "FakeModelProvider",
    "HarnessError",
    "McpTransport",
    "NonDeterminismFoundError",
    "ProcessNotReadyError",
    "RecordedHistory",
    "Says",
    "Script",
    "Step",
    "StoppedProcess",
    "TestedChat",
    "UnscriptedModelCallError",
    "UnusedStepsError",
    "WorkerPlace",
    "call",
    "calls",
    "fails",
    "fetch_history",
    "replay_history",
    "says",
]
