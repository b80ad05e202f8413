"""The interceptors of every worker: the heartbeat, then the user's own."""

from collections.abc import Sequence

from temporalio.worker import Interceptor

from durable_loop.bootstrap import extensions
from durable_loop.bootstrap.heartbeat import HeartbeatInterceptor
from durable_loop.settings import Settings

__all__ = ["interceptors"]


def interceptors(settings: Settings) -> Sequence[Interceptor]:
    """Return them in order, the outermost first."""
    return [
        HeartbeatInterceptor(),
        *(extensions.load(path, setting="DURABLE_LOOP_INTERCEPTORS") for path in settings.interceptors),
    ]
