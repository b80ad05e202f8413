"""The IT MCP server: stateful, every call belongs to a session workflow."""

from datetime import timedelta
from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field, StringConstraints
from temporalio.client import Client

from durable_loop import names
from durable_loop.services.calls import Backing, call_key, caller_chat
from durable_loop.services.it.messages import IpHistory, JiraProject, ProjectMetrics, TrackedIp
from durable_loop.services.it.remote_session import RemoteItSession
from durable_loop.services.tool_server import VERSION, ToolServer, reply

__all__ = ["it_server"]

Project = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_-]*$"),
    Field(
        description="The JIRA project: letters, digits, - and _, such as DEMO-123.",
        examples=["DEMO-123", "OPS"],
    ),
]


def it_server(client: Client, *, session: str, backing_timeout: timedelta) -> MCPServer:
    """Return the server, over a client of the IT namespace.

    A call that names its chat in `_meta` gets that chat's session, any other gets `session`. Never
    an argument or the transport decides: a model could ask for somebody else's session.
    """
    backing = Backing(client, service="IT", task_queue=names.QUEUE_IT, timeout=backing_timeout)
    server = ToolServer(
        names.MCP_IT,
        version=VERSION,
        title="IT",
        instructions="JIRA and network helpers. What is set or tracked is remembered in the session.",
    )

    def session_of(context: Context) -> RemoteItSession:
        return RemoteItSession(backing, name=caller_chat(context) or session)

    @server.tool(
        title="Set JIRA project",
        annotations=ToolAnnotations(
            title="Set JIRA project",
            read_only_hint=False,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
    async def set_jira_project(project: Project, context: Context) -> Annotated[CallToolResult, JiraProject]:
        """Choose the JIRA project that this session works on; get_jira_metrics then reports on it."""
        chosen = await session_of(context).set_jira_project(project, key=call_key(context))
        return reply(f"JIRA project set to: {chosen.project}", chosen)

    @server.tool(
        title="JIRA metrics",
        annotations=ToolAnnotations(
            title="JIRA metrics",
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=True,
        ),
    )
    async def get_jira_metrics(context: Context) -> Annotated[CallToolResult, ProjectMetrics]:
        """Report how the session's JIRA project is doing; set the project with set_jira_project first."""
        metrics = await session_of(context).jira_metrics(key=call_key(context))
        return reply(_metrics_sentence(metrics), metrics)

    @server.tool(
        title="Track IP address",
        annotations=ToolAnnotations(
            title="Track IP address",
            read_only_hint=False,
            destructive_hint=False,
            idempotent_hint=False,
            open_world_hint=False,
        ),
    )
    async def track_ip(context: Context) -> Annotated[CallToolResult, TrackedIp]:
        """Record the user's current IP address, with the time, in this session's IP history."""
        ip = await session_of(context).track_ip(key=call_key(context))
        return reply(f"IP address tracked: {ip.address}{_origin(ip.source, 'address')}", ip)

    @server.tool(
        title="IP address history",
        annotations=ToolAnnotations(
            title="IP address history",
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
    async def get_ip_history(context: Context) -> Annotated[CallToolResult, IpHistory]:
        """List the IP addresses that were tracked in this session, oldest first, with their times."""
        history = await session_of(context).ip_history()
        return reply(_history_text(history), history)

    return server


def _metrics_sentence(metrics: ProjectMetrics) -> str:
    return (
        f"JIRA metrics for {metrics.project}{_origin(metrics.source, 'data')}: {metrics.open_issues} open issues, "
        f"{metrics.in_progress} in progress, {metrics.closed_issues} closed, "
        f"{metrics.days_to_close:.1f} days to close one on average"
    )


def _history_text(history: IpHistory) -> str:
    if not history.addresses:
        return "No IP address has been tracked in this session yet."
    lines = [
        f"  {ip.number}. {ip.address} (tracked at {ip.tracked_at.isoformat(timespec='seconds')})"
        for ip in history.addresses
    ]
    if forgotten := history.tracked - len(history.addresses):
        lines.insert(0, f"  ({forgotten} older ones are no longer kept)")
    if any(ip.source == "demo" for ip in history.addresses):
        lines.append("(demo addresses)")
    return "\n".join(["IP address history:", *lines])


def _origin(source: str, what: str) -> str:
    return f" (demo {what})" if source == "demo" else ""
