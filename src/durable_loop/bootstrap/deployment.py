"""Worker versioning: which build of the code a worker is, as the settings say."""

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from durable_loop.settings import Settings

__all__ = ["deployment_config", "deployment_version"]


def deployment_version(settings: Settings) -> WorkerDeploymentVersion | None:
    """Return the build that the settings name, or None: the workers upgrade in place."""
    if settings.deployment is None or settings.build_id is None:
        return None
    return WorkerDeploymentVersion(deployment_name=settings.deployment, build_id=settings.build_id)


def deployment_config(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return the worker's side of it: a workflow stays on the build that began its run."""
    version = deployment_version(settings)
    if version is None:
        return None
    return WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )
