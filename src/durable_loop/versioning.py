"""When a workflow that lives long needs a new run, and on which version of its workers that is placed."""

from temporalio import workflow

__all__ = ["needs_new_run", "next_version"]


def needs_new_run() -> bool:
    """Whether Temporal asks to continue as new: the history has grown long, or the workers have a new version."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.is_target_worker_deployment_version_changed()


def next_version() -> workflow.ContinueAsNewVersioningBehavior | None:
    """Return how the next run is to be placed: on the current version where that has changed, else as this one.

    A run stays on the version that began it (it is pinned), and so would the run after it.
    """
    changed = workflow.info().is_target_worker_deployment_version_changed()
    return workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE if changed else None
