"""How a workflow that lives long moves to a new version of its workers: when it continues as new."""

from temporalio import workflow

__all__ = ["next_version"]


def next_version() -> workflow.ContinueAsNewVersioningBehavior | None:
    """Return how the next run is to be placed: on the current version where that has changed, else as this one.

    A run stays on the version that began it (it is pinned), and so would the run after it.
    """
    changed = workflow.info().is_target_worker_deployment_version_changed()
    return workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE if changed else None
