"""Why the next task of a workflow fails, where its history ends.

Temporal's replayer compares what is recorded. Behind it the code goes on, as it would on the next worker; where that
fails, the replayer says nothing.
"""

import math
import time
from typing import Any, Final

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.plugin import SimplePlugin
from temporalio.worker import ReplayerConfig, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info

__all__ = ["TaskFailures"]

# After so long without a yield the SDK takes a task for one in a deadlock (`temporalio.worker`, but for debug mode).
DEADLOCK_SECONDS: Final = 2.0


class TaskFailures(SimplePlugin):
    """The plugin of a replayer that keeps why the last task of each run failed.

    It has to be the last one: it hides what others look for in a runner. What goes wrong outside of the workflow's own
    code (a codec without its key) it does not see.
    """

    def __init__(self) -> None:
        super().__init__("durable-loop.task-failures")  # pyright: ignore[reportUnknownMemberType] - untyped parts of the SDK
        self._by_run: dict[str, str] = {}

    def take(self, run_id: str) -> str | None:
        """Return why a run's last task failed, and forget it; None where it did not."""
        return self._by_run.pop(run_id, None)

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Have both runners watched, with the sandbox and without."""
        config = super().configure_replayer(config)
        patience = math.inf if config.get("debug_mode") else DEADLOCK_SECONDS
        if (runner := config.get("workflow_runner")) is not None:
            config["workflow_runner"] = _Runner(runner, self._by_run, patience)
        if (runner := config.get("unsandboxed_workflow_runner")) is not None:
            config["unsandboxed_workflow_runner"] = _Runner(runner, self._by_run, patience)
        return config


class _Runner(WorkflowRunner):
    """Runs workflows as another runner does."""

    def __init__(self, runner: WorkflowRunner, failures: dict[str, str], patience: float) -> None:
        self._runner = runner
        self._failures = failures
        self._patience = patience

    def prepare_workflow(self, defn: Any) -> None:
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(self._runner.create_instance(det), det.info.run_id, self._failures, self._patience)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._runner.set_worker_level_failure_exception_types(types)


class _Instance(WorkflowInstance):
    """Does what another instance does. In a replay a task that failed is the last one: it is not tried again."""

    def __init__(self, instance: WorkflowInstance, run_id: str, failures: dict[str, str], patience: float) -> None:
        self._instance = instance
        self._run_id = run_id
        self._failures = failures
        self._patience = patience

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        begun = time.monotonic()
        completion = self._instance.activate(act)
        if completion.HasField("failed"):
            failure = completion.failed.failure
            kind = failure.application_failure_info.type
            self._failures[self._run_id] = f"{kind}: {failure.message}".removeprefix(": ")
        elif time.monotonic() - begun >= self._patience:
            # The SDK has given it up and broken it off, which nobody sees here.
            self._failures[self._run_id] = "it does not come to an end"
        return completion

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()  # by which the SDK breaks off a task that does not come to an end
