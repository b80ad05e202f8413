"""Where a person can look at a workflow: Temporal's web interface."""

from urllib.parse import urlsplit

from durable_loop.bootstrap.client import DEFAULT_ADDRESS, configured_address
from durable_loop.settings import Settings
from durable_loop.stack.messages import StackState

__all__ = ["web_interface"]

# https://docs.temporal.io/cli/server: the dev server has its interface at this port by default.
DEV_SERVER = "http://localhost:8233"
# https://docs.temporal.io/cloud: whatever the address of a namespace.
CLOUD = "https://cloud.temporal.io"
CLOUD_HOSTS = (".tmprl.cloud", ".api.temporal.io")


def web_interface(settings: Settings, stack: StackState | None) -> str | None:
    """Return its address: as set, as the stack started it, or as is usual; None where it is not known."""
    if settings.temporal_ui is not None:
        return settings.temporal_ui.rstrip("/")
    if stack is not None and stack.own_server:
        return stack.temporal_ui_url
    address = configured_address() or DEFAULT_ADDRESS
    host = urlsplit(f"//{address}").hostname or ""
    if host.endswith(CLOUD_HOSTS):
        return CLOUD
    return DEV_SERVER if address in {DEFAULT_ADDRESS, "127.0.0.1:7233"} else None
