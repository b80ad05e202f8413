"""Workflows under pytest: what pytest adds to a module is not imported again for each workflow.

Pytest rewrites the asserts of test modules and of a plugin's own package, and what it rewrites imports pytest. In
Temporal's sandbox that would be some two hundred modules for each workflow instance, a quarter of a second.
"""

from dataclasses import replace
from typing import Final

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

__all__ = ["PASS_PYTEST_THROUGH"]


def _pass_through(runner: WorkflowRunner | None) -> WorkflowRunner:
    if runner is None:
        raise TypeError("a worker or a replayer has no runner")
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner  # without a sandbox nothing is imported again
    return replace(runner, restrictions=runner.restrictions.with_passthrough_modules("_pytest", "pytest"))


PASS_PYTEST_THROUGH: Final = SimplePlugin("durable-loop.pass-pytest-through", workflow_runner=_pass_through)
