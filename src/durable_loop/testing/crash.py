"""Crash points: named places at which a test stops a process, to kill it exactly there.

The rule: a process that comes to an armed place stops as a whole (SIGSTOP), threads of the SDK
included, and stays so until the test kills it or lets it go on. A place stops one process, once: the
one that is started next passes. Nothing of this is in production code; the interceptor comes into the
real workers and MCP servers through DURABLE_LOOP_INTERCEPTORS.

A place can also hold what comes there alone, while the process goes on: a cancel, say, arrives in
the middle of a model call that is held.
"""

import asyncio
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NoReturn

import psutil
from temporalio import activity, client, workflow
from temporalio.client import OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from durable_loop import names
from durable_loop.errors import SettingsError

__all__ = [
    "INTERCEPTOR",
    "CrashInterceptor",
    "CrashPoint",
    "CrashPoints",
    "StoppedProcess",
    "interceptor_from_environment",
    "pass_by",
    "reach",
]

# Names the folder of a process whose DURABLE_LOOP_INTERCEPTORS has INTERCEPTOR.
FOLDER_VARIABLE: Final = "DURABLE_LOOP_TESTING_CRASH_POINTS"
# For DURABLE_LOOP_INTERCEPTORS, `Settings(interceptors=…)` and `env.agent(interceptors=…)`: passes the crash points.
INTERCEPTOR: Final = "durable_loop.testing.crash:interceptor_from_environment"

POLL_INTERVAL: Final = 0.01
REACHED_TIMEOUT: Final = 30.0
_HOLD: Final = "hold."
_PASSED: Final = "passed."


class CrashPoint(StrEnum):
    """A place in a worker or an MCP server. What is done there has not been reported to anybody yet."""

    UPDATE_ACCEPTED = "update-accepted"  # the update's handler begins
    UPDATE_COMPLETED = "update-completed"  # it has its result
    SIGNAL_RECEIVED = "signal-received"
    CONTINUING_AS_NEW = "continuing-as-new"
    BEFORE_TOOL_LISTING = "before-tool-listing"
    AFTER_TOOL_LISTING = "after-tool-listing"
    BEFORE_MODEL_CALL = "before-model-call"
    IN_MODEL_CALL = "in-model-call"  # the model was asked and has not answered; needs `testing.model_calls`
    AFTER_MODEL_CALL = "after-model-call"
    BEFORE_MCP_CALL = "before-mcp-call"
    AFTER_MCP_CALL = "after-mcp-call"
    BEFORE_ACTIVITY = "before-activity"  # any other one: a local tool, the work behind an MCP server
    AFTER_ACTIVITY = "after-activity"
    BEFORE_START_WORKFLOW = "before-start-workflow"  # an MCP server starts (or signals) what stands behind a call
    AFTER_START_WORKFLOW = "after-start-workflow"


@dataclass(frozen=True)
class StoppedProcess:
    """A process that stands at a crash point."""

    pid: int

    def go_on(self) -> None:
        """Let it go on as if nothing had been."""
        os.kill(self.pid, signal.SIGCONT)


class CrashPoints:
    """The test's side: arms places for the processes that were started with `environment`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.environment: Mapping[str, str] = {FOLDER_VARIABLE: str(folder)}

    def arm(self, point: CrashPoint) -> None:
        """Have the first process that comes to `point` from now on stop there."""
        (self._folder / point).touch()

    @property
    def passed(self) -> frozenset[CrashPoint]:
        """The places that any process came to since the start, or since the last `disarm`."""
        return frozenset(point for point in CrashPoint if (self._folder / f"{_PASSED}{point}").exists())

    def disarm(self) -> None:
        """Have nobody stopped or held any more, and forget what was passed."""
        for file in self._folder.iterdir():
            file.unlink()

    @contextmanager
    def holding(self, point: CrashPoint) -> Generator[None]:
        """Hold whatever comes to `point` during the block; only places in model calls hold."""
        gate = self._folder / f"{_HOLD}{point}"
        gate.touch()
        try:
            yield
        finally:
            gate.unlink(missing_ok=True)

    async def reached(self, point: CrashPoint) -> StoppedProcess:
        """Return the process that stopped at `point`, as soon as one does.

        Raises:
            TimeoutError: none did.
        """
        async with asyncio.timeout(REACHED_TIMEOUT):
            while True:
                for file in self._folder.glob(f"{point}.*"):
                    pid = int(file.suffix.removeprefix("."))
                    # It takes the file and then stops: let go on in between, it would stand still for ever.
                    if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                        file.unlink()
                        return StoppedProcess(pid)
                await asyncio.sleep(POLL_INTERVAL)


def reach(point: CrashPoint) -> None:
    """Stop this process if a test armed `point`; a process that no test gave a folder passes."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return
    Path(folder, f"{_PASSED}{point}").touch()
    try:
        # One process, once: only one of many can take the file.
        Path(folder, point).rename(Path(folder, f"{point}.{os.getpid()}"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGSTOP)


async def pass_by(point: CrashPoint) -> None:
    """Be stopped at `point` as by `reach`, or held there while a test holds it."""
    reach(point)
    while _is_held(point):  # noqa: ASYNC110 - the test is another process
        await asyncio.sleep(POLL_INTERVAL)


def _is_held(point: CrashPoint) -> bool:
    folder = os.environ.get(FOLDER_VARIABLE)
    return bool(folder) and Path(folder, f"{_HOLD}{point}").exists()


def interceptor_from_environment() -> "CrashInterceptor":
    """Make the interceptor in a worker process.

    Raises:
        SettingsError: the environment names no folder.
    """
    if not os.environ.get(FOLDER_VARIABLE):
        raise SettingsError(f"{FOLDER_VARIABLE} is not set: it names the folder of the crash points.")
    return CrashInterceptor()


class CrashInterceptor(Interceptor, client.Interceptor):
    """Passes the crash points of a worker (workflow tasks and activities), or of a client that starts workflows."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's signature
        """Wrap the activity in its two points."""
        return _Activity(next)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's signature
        """Wrap the start of a workflow in its two points."""
        return _Client(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's signature
    ) -> type[WorkflowInboundInterceptor]:
        """Return the class that passes the points of workflow tasks; a replay passes none."""
        return _Inbound


def _reach_in_workflow(point: CrashPoint) -> None:
    if not workflow.unsafe.is_replaying():
        with workflow.unsafe.sandbox_unrestricted():
            reach(point)


class _Outbound(WorkflowOutboundInterceptor):
    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:  # noqa: A002 - the SDK's signature
        _reach_in_workflow(CrashPoint.CONTINUING_AS_NEW)
        super().continue_as_new(input)


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - the SDK's signature
        _reach_in_workflow(CrashPoint.SIGNAL_RECEIVED)
        await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002 - the SDK's signature
        _reach_in_workflow(CrashPoint.UPDATE_ACCEPTED)
        result = await super().handle_update_handler(input)
        _reach_in_workflow(CrashPoint.UPDATE_COMPLETED)
        return result


def _around(activity_type: str) -> tuple[CrashPoint, CrashPoint]:
    if activity_type in names.ACTIVITIES_MODEL_CALL:
        return CrashPoint.BEFORE_MODEL_CALL, CrashPoint.AFTER_MODEL_CALL
    if activity_type.endswith(names.ACTIVITY_ENDS_LIST_TOOLS):
        return CrashPoint.BEFORE_TOOL_LISTING, CrashPoint.AFTER_TOOL_LISTING
    if activity_type.endswith(names.ACTIVITY_ENDS_CALL_TOOL):
        return CrashPoint.BEFORE_MCP_CALL, CrashPoint.AFTER_MCP_CALL
    return CrashPoint.BEFORE_ACTIVITY, CrashPoint.AFTER_ACTIVITY


class _Activity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's signature
        before, after = _around(activity.info().activity_type)
        reach(before)
        result = await super().execute_activity(input)
        reach(after)
        return result


class _Client(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's signature
        reach(CrashPoint.BEFORE_START_WORKFLOW)
        handle = await super().start_workflow(input)
        reach(CrashPoint.AFTER_START_WORKFLOW)
        return handle
