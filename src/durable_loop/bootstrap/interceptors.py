"""The interceptors of every worker: the heartbeat, the handover, the user's own; and the user's own of every client."""

from collections.abc import Sequence
from typing import Final

from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import Interceptor

from durable_loop.bootstrap import extensions
from durable_loop.bootstrap.handover import HandoverInterceptor
from durable_loop.bootstrap.heartbeat import HeartbeatInterceptor
from durable_loop.errors import SettingsError
from durable_loop.settings import Settings

__all__ = ["client_interceptors", "interceptors"]

_SETTING: Final = "DURABLE_LOOP_INTERCEPTORS"


def interceptors(settings: Settings) -> Sequence[Interceptor]:
    """Return those of a worker in order, the outermost first."""
    return [
        HeartbeatInterceptor(),
        HandoverInterceptor(),
        *(found for found in _own(settings) if isinstance(found, Interceptor)),
    ]


def client_interceptors(settings: Settings) -> Sequence[ClientInterceptor]:
    """Return those of a process that starts workflows and runs none: an MCP server."""
    return [found for found in _own(settings) if isinstance(found, ClientInterceptor)]


def _own(settings: Settings) -> Sequence[Interceptor | ClientInterceptor]:
    return [_loaded(path) for path in settings.interceptors]


def _loaded(path: str) -> Interceptor | ClientInterceptor:
    found = extensions.load(path, setting=_SETTING)
    if not isinstance(found, Interceptor | ClientInterceptor):
        raise SettingsError(f"{_SETTING}={path!r} makes no interceptor of a worker or a client.")
    return found
