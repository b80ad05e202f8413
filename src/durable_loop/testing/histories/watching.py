"""Why the next task of a workflow fails, where its history ends.

Temporal's replayer compares what is recorded. Behind it the code goes on, as it would on the next worker; where that
fails, the replayer says nothing.
"""

from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info

__all__ = ["TaskFailures"]


class TaskFailures:
    """Why the last task of each run failed, until somebody takes it."""

    def __init__(self) -> None:
        self._by_run: dict[str, str] = {}

    def take(self, run_id: str) -> str | None:
        """Return why a run's last task failed, and forget it; None where it did not."""
        return self._by_run.pop(run_id, None)

    def note(self, run_id: str, completion: WorkflowActivationCompletion) -> None:
        """Note what came of a task. In a replay a task that failed is the last one: it is not tried again."""
        if completion.HasField("failed"):
            failure = completion.failed.failure
            self._by_run[run_id] = f"{failure.application_failure_info.type}: {failure.message}".removeprefix(": ")

    @property
    def plugin(self) -> SimplePlugin:
        """The plugin of a replayer that notes here; the last one, as it hides what others look for in a runner."""
        return SimplePlugin("durable-loop.task-failures", workflow_runner=self._watching)

    def _watching(self, runner: WorkflowRunner | None) -> WorkflowRunner:
        if runner is None:
            raise TypeError("a replayer has no runner")
        return _Runner(runner, self)


class _Runner(WorkflowRunner):
    """Runs workflows as another runner does."""

    def __init__(self, runner: WorkflowRunner, failures: TaskFailures) -> None:
        self._runner = runner
        self._failures = failures

    def prepare_workflow(self, defn: Any) -> None:
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(self._runner.create_instance(det), det.info.run_id, self._failures)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._runner.set_worker_level_failure_exception_types(types)


class _Instance(WorkflowInstance):
    """Does what another instance does."""

    def __init__(self, instance: WorkflowInstance, run_id: str, failures: TaskFailures) -> None:
        self._instance = instance
        self._run_id = run_id
        self._failures = failures

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._instance.activate(act)
        self._failures.note(self._run_id, completion)
        return completion

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Info:
        return self._instance.get_info()
