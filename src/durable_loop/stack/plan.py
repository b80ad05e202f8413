"""What a stack consists of: addresses, and the command of each part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from durable_loop.bootstrap.client import configured_address
from durable_loop.settings import Settings
from durable_loop.stack.binaries import find_temporal
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.messages import StackState
from durable_loop.stack.part import python_module
from durable_loop.stack.ports import HOST

__all__ = ["PartPlan", "StackPlan", "local_port", "make_plan"]

TEMPORAL = "temporal"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Where the dev server has its web interface by default, seen from its port.
UI_ABOVE = 1000
MAX_PORT = 65535
# Of the servers that a stack starts, whatever stands behind the port in a setting.
MCP_PATH = "/mcp"
DYNAMIC_CONFIG = (
    # Without it, a workflow that continues as new within a second of its start waits for the rest of the second.
    *("--dynamic-config-value", 'history.workflowIdReuseMinimalInterval="0s"'),
    # How often in a second the server looks for new tasks at most: at its 20, a dozen chats at once slow each other
    # down, to 50 ms for each task of a workflow.
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
)


@dataclass(frozen=True)
class PartPlan:
    """One part: how it is called and started."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class StackPlan:
    """The whole stack. `server` is None when Temporal runs elsewhere."""

    temporal_address: str
    temporal_ui_url: str | None
    finance_mcp_url: str
    it_mcp_url: str
    server: PartPlan | None
    parts: tuple[PartPlan, ...]
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def make_plan(
    settings: Settings, folder: StackFolder, previous: StackState | None, *, choose: Callable[..., int]
) -> StackPlan:
    """Choose addresses and commands. `previous` died here: its ports are taken again, its clients know them.

    `choose` gives a port, one of those that it is called with where it can; 0 is any.

    Raises:
        TemporalBinaryNotFoundError: a configured path is not a program.
    """
    notes: list[str] = []

    def port_for(what: str, wanted: int, former: int | None) -> int:
        chosen = choose(*([former] if former else []), wanted)
        if chosen != wanted and wanted:
            notes.append(f"Port {wanted} is taken by something else: the {what} uses {chosen}.")
        return chosen

    def mcp(name: str, url: str, former_url: str | None) -> tuple[str, PartPlan | None]:
        if (wanted := local_port(url)) is None:
            return url, None
        former = urlsplit(former_url).port if former_url else None
        port = port_for(f"{name} MCP server", wanted, former)
        part = PartPlan(f"{name}-mcp", python_module(f"mcp_servers.{name}_mcp_server", "--port", str(port)))
        return f"http://{HOST}:{port}{MCP_PATH}", part

    if settings.deployment is not None:
        notes.append("DURABLE_LOOP_DEPLOYMENT is for workers that you start yourself: this stack upgrades in place.")
    address, server, ui_url = configured_address(), None, None
    if address is None:
        former = int(previous.temporal_address.rpartition(":")[2]) if previous and previous.own_server else None
        port = port_for("Temporal server", settings.temporal_port, former)
        former_ui = urlsplit(previous.temporal_ui_url).port if previous and previous.temporal_ui_url else None
        usual_ui = _ui_port(port) if settings.temporal_port else 0
        ui_port = port_for("Temporal web interface", usual_ui, former_ui)
        address, ui_url = f"{HOST}:{port}", f"http://{HOST}:{ui_port}"
        server = _server(settings, folder, port, ui_port)
    finance_url, finance = mcp("finance", settings.finance_mcp_url, previous.finance_mcp_url if previous else None)
    it_url, it = mcp("it", settings.it_mcp_url, previous.it_mcp_url if previous else None)
    return StackPlan(
        temporal_address=address,
        temporal_ui_url=ui_url,
        finance_mcp_url=finance_url,
        it_mcp_url=it_url,
        server=server,
        parts=tuple(
            part
            for part in (
                # The orchestrator first: it takes the longest to import.
                PartPlan("orchestrator-worker", python_module("workers.orchestrator_worker")),
                finance,
                it,
                PartPlan("finance-worker", python_module("workers.finance_worker")),
                PartPlan("it-worker", python_module("workers.it_worker")),
            )
            if part is not None
        ),
        notes=tuple(notes),
        environment={
            "TEMPORAL_ADDRESS": address,
            "DURABLE_LOOP_FINANCE_MCP_URL": finance_url,
            "DURABLE_LOOP_IT_MCP_URL": it_url,
            # Nobody rolls out the builds of an embedded stack: chats would wait for a current one for ever.
            "DURABLE_LOOP_DEPLOYMENT": "",
            "DURABLE_LOOP_BUILD_ID": "",
        },
    )


def local_port(url: str) -> int | None:
    """Return the port at which a stack serves an MCP server with this address, 0: any; None where it is elsewhere."""
    address = urlsplit(url)
    if address.hostname not in LOOPBACK:
        return None
    return 80 if address.port is None else address.port


def _ui_port(port: int) -> int:
    """Return the usual port of the web interface of a server at this one; 0: any."""
    return port + UI_ABOVE if port + UI_ABOVE <= MAX_PORT else 0


def _server(settings: Settings, folder: StackFolder, port: int, ui_port: int) -> PartPlan:
    program = find_temporal(settings.temporal_cli)
    if program is None:
        command = python_module("durable_loop.stack.sdk_server", str(port), str(ui_port), str(folder.database))
    else:
        options = {"--ip": HOST, "--port": str(port), "--ui-port": str(ui_port), "--db-filename": str(folder.database)}
        flags = [word for option in options.items() for word in option]
        command = (
            *(str(program), "server", "start-dev", "--log-level", "error"),
            *flags,
            *DYNAMIC_CONFIG,
        )
    return PartPlan(TEMPORAL, command)
