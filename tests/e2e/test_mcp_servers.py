"""The two MCP servers over a real Temporal: the same answers over every transport, one effect per key."""

import asyncio
import os
import re
import sys
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import mcp
import pytest
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, RequestParamsMeta, TextContent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from durable_loop import names
from durable_loop.services.finance.server import finance_server
from durable_loop.services.it.server import it_server
from durable_loop.testing import Environment, over_http
from tests.requirements import requirement

Service = Literal["finance", "it"]
Connect = Callable[..., AbstractAsyncContextManager[mcp.Client]]

ROOT = Path(__file__).parents[2]
TEMPORAL = Path(sys.executable).with_name("temporal")
BACKING_TIMEOUT = timedelta(seconds=10)
# Few enough that a test gets there, many enough that the others do not.
SUGGEST_CONTINUE_AS_NEW_AT = 40


@dataclass(frozen=True)
class Temporal:
    """An environment without workers, and a client of each of the services' namespaces."""

    env: Environment
    finance: Client
    it: Client

    def server(self, service: Service, *, session: str, backing_timeout: timedelta) -> MCPServer:
        """Return one of the two servers."""
        if service == "finance":
            return finance_server(self.finance, backing_timeout=backing_timeout)
        return it_server(self.it, session=session, backing_timeout=backing_timeout)


@pytest.fixture(scope="module")
async def temporal() -> AsyncGenerator[Temporal]:
    limit = {"limit.historyCount.suggestContinueAsNew": str(SUGGEST_CONTINUE_AS_NEW_AT)}
    async with Environment.start(dynamic_config=limit, service_workers=False) as env:
        yield Temporal(
            env=env,
            finance=await env.client(names.NAMESPACE_FINANCE),
            it=await env.client(names.NAMESPACE_IT),
        )


@pytest.fixture
async def workers(temporal: Temporal) -> AsyncGenerator[None]:
    async with await temporal.env.finance_worker(), await temporal.env.it_worker():
        yield


@pytest.fixture
def session() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


def program(service: Service, *options: str) -> list[str]:
    return ["-m", f"mcp_servers.{service}_mcp_server", *options]


@pytest.fixture(params=["memory", "http", "stdio", "stdio-legacy"])
def connect(request: pytest.FixtureRequest, temporal: Temporal, session: str) -> Connect:
    """Return a way to a server: in memory, over HTTP, or a process of its own with either generation of protocol."""
    transport: str = request.param

    @asynccontextmanager
    async def connected(service: Service) -> AsyncGenerator[mcp.Client]:
        async with AsyncExitStack() as stack:
            server = temporal.server(service, session=session, backing_timeout=BACKING_TIMEOUT)
            if transport == "memory":
                target = server
            elif transport == "http":
                target = await stack.enter_async_context(over_http(server))
            else:
                options = ("--session", session) if service == "it" else ()
                target = mcp.StdioServerParameters(
                    command=sys.executable,
                    args=program(service, "--transport", "stdio", *options),
                    env={"TEMPORAL_ADDRESS": temporal.env.address},
                    cwd=ROOT,
                )
            mode = "legacy" if transport.endswith("legacy") else "auto"
            yield await stack.enter_async_context(mcp.Client(target, mode=mode))

    return connected


def in_memory(server: MCPServer) -> mcp.Client:
    return mcp.Client(server)


def marked(*, key: str | None = None, chat: str | None = None) -> RequestParamsMeta:
    meta = RequestParamsMeta()
    if key is not None:
        meta[names.META_IDEMPOTENCY_KEY] = key
    if chat is not None:
        meta[names.META_CHAT] = chat
    return meta


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.mark.usefixtures("workers")
@requirement("tools.transports", "mcp.generations")
async def test_finance_answers_the_same_over_every_transport(connect: Connect) -> None:
    """A sentence and data, or a sentence and an error (seed)."""
    async with connect("finance") as client:
        price = await client.call_tool("stock_price", {"ticker": "aapl"})
        roi = await client.call_tool("calculate_roi", {"principal": 10_000, "rate": 5, "years": 10})
        unknown = await client.call_tool("stock_price", {"ticker": "XYZ"})
        absurd = await client.call_tool("calculate_roi", {"principal": 1e12, "rate": 1000, "years": 100})
        wrong = await client.call_tool("stock_price", {"symbol": "AAPL"})
        misnamed = await client.call_tool("stock_prices", {"ticker": "AAPL"})

    assert text(price) == "The current stock price of AAPL is $185.50 (demo data)"
    assert price.structured_content == {"ticker": "AAPL", "price": 185.5, "currency": "USD", "source": "demo"}
    assert text(roi) == "The ROI for $10,000 invested at 5% annually over 10 years is $16,288.95"
    assert roi.structured_content == {
        "principal": 10_000,
        "rate": 5,
        "years": 10,
        "final_value": 16_288.95,
        "gain": 6_288.95,
    }
    assert not price.is_error
    assert not roi.is_error
    assert text(unknown).startswith("There is no price for XYZ in the demo data, which knows AAPL, ")
    assert text(absurd).startswith("The investment would grow past $10,000,000,000,000")
    assert text(wrong).startswith("stock_price was called with wrong arguments: ticker is missing")
    assert text(misnamed) == "There is no tool 'stock_prices' here, only stock_price, calculate_roi."
    assert all(result.is_error for result in (unknown, absurd, wrong, misnamed))


@pytest.mark.usefixtures("workers")
@requirement("tools.transports", "mcp.generations")
async def test_it_answers_the_same_over_every_transport(connect: Connect) -> None:
    """Changes are seen by the reads after them; nothing is there before (seed)."""
    before = datetime.now(UTC)
    async with connect("it") as client:
        no_metrics = await client.call_tool("get_jira_metrics", {})
        no_history = await client.call_tool("get_ip_history", {})
        project = await client.call_tool("set_jira_project", {"project": "DEMO-123"})
        metrics = await client.call_tool("get_jira_metrics", {})
        first = await client.call_tool("track_ip", {})
        second = await client.call_tool("track_ip", {})
        history = await client.call_tool("get_ip_history", {})

    assert no_metrics.is_error
    assert text(no_metrics) == "No JIRA project is set in this session: set one with set_jira_project first."
    assert text(no_history) == "No IP address has been tracked in this session yet."
    assert text(project) == "JIRA project set to: DEMO-123"
    assert text(metrics).startswith("JIRA metrics for DEMO-123 (demo data): ")
    assert metrics.structured_content is not None
    assert metrics.structured_content["source"] == "demo"
    assert text(first) == "IP address tracked: 172.16.0.1 (demo address)"
    assert text(second) == "IP address tracked: 172.16.0.2 (demo address)"
    assert history.structured_content is not None
    assert history.structured_content["addresses"] == [first.structured_content, second.structured_content]
    lines = text(history).splitlines()
    assert lines[0] == "IP address history:"
    assert lines[-1] == "(demo addresses)"
    for line, address in zip(lines[1:-1], ("172.16.0.1", "172.16.0.2"), strict=True):
        match = re.fullmatch(rf"  \d\. {re.escape(address)} \(tracked at (\S+)\)", line)
        assert match
        assert datetime.fromisoformat(match[1]) >= before.replace(microsecond=0)


@pytest.mark.usefixtures("workers")
@requirement("mcp.key-once")
async def test_a_key_runs_its_finance_call_once(connect: Connect, temporal: Temporal, key: str) -> None:
    """The workflow of the first call answers the second, also when it is long over (ours)."""
    meta = marked(key=key)
    handle = temporal.finance.get_workflow_handle(names.ID_STOCK_PRICE + key)
    async with connect("finance") as client:
        first = await client.call_tool("stock_price", {"ticker": "AAPL"}, meta=meta)
        run = (await handle.describe()).run_id
        again = await client.call_tool("stock_price", {"ticker": "AAPL"}, meta=meta)
        other = await client.call_tool("stock_price", {"ticker": "MSFT"}, meta=meta)

    assert again.structured_content == first.structured_content
    assert (await handle.describe()).run_id == run
    history = await handle.fetch_history()
    assert sum(event.HasField("activity_task_completed_event_attributes") for event in history.events) == 1
    assert other.is_error
    assert text(other).startswith("Nothing was done: ")


@pytest.mark.usefixtures("workers")
@requirement("mcp.key-once")
async def test_calls_with_one_key_at_the_same_time_share_one_workflow(temporal: Temporal, key: str) -> None:
    """A retry that overtakes its first try is the same call (ours)."""
    meta = marked(key=key)
    async with in_memory(temporal.server("finance", session="", backing_timeout=BACKING_TIMEOUT)) as client:
        results = await asyncio.gather(
            *(client.call_tool("stock_price", {"ticker": "NVDA"}, meta=meta) for _ in range(5))
        )

    assert {text(result) for result in results} == {"The current stock price of NVDA is $875.40 (demo data)"}


@pytest.mark.usefixtures("workers")
@requirement("mcp.key-once")
async def test_a_key_changes_an_it_session_once(connect: Connect) -> None:
    """The same answer comes twice, the address only once (ours)."""
    meta = marked(key="one")
    async with connect("it") as client:
        first = await client.call_tool("track_ip", {}, meta=meta)
        again = await client.call_tool("track_ip", {}, meta=meta)
        other = await client.call_tool("set_jira_project", {"project": "DEMO-123"}, meta=meta)
        history = await client.call_tool("get_ip_history", {})

    assert again.structured_content == first.structured_content
    assert history.structured_content is not None
    assert history.structured_content["tracked"] == 1
    assert text(other).startswith("Nothing was done: ")


@pytest.mark.usefixtures("workers")
@requirement("it.session", "mcp.stateless")
async def test_each_chat_has_its_own_it_session(connect: Connect, session: str) -> None:
    """The chat in `_meta` decides, else the server's own session; whatever the chat is called (spec)."""
    chats = [None, f"{session}-a", f"{session}/b c\n"]
    async with connect("it") as client:
        for number, chat in enumerate(chats):
            await client.call_tool("set_jira_project", {"project": f"P-{number}"}, meta=marked(chat=chat))
        projects: list[object] = []
        for chat in chats:
            metrics = await client.call_tool("get_jira_metrics", {}, meta=marked(chat=chat))
            assert metrics.structured_content is not None
            projects.append(metrics.structured_content["project"])

    assert projects == ["P-0", "P-1", "P-2"]


@requirement("it.outlives")
async def test_an_it_session_outlives_its_server_and_its_worker(connect: Connect, temporal: Temporal) -> None:
    """Both are gone and others have come; the session and its keys are as they were (seed)."""
    meta = marked(key="one")
    async with await temporal.env.it_worker(), connect("it") as client:
        await client.call_tool("set_jira_project", {"project": "DEMO-123"})
        first = await client.call_tool("track_ip", {}, meta=meta)

    async with await temporal.env.it_worker(), connect("it") as client:
        again = await client.call_tool("track_ip", {}, meta=meta)
        second = await client.call_tool("track_ip", {})
        metrics = await client.call_tool("get_jira_metrics", {})

    assert again.structured_content == first.structured_content
    assert text(second) == "IP address tracked: 172.16.0.2 (demo address)"
    assert text(metrics).startswith("JIRA metrics for DEMO-123")


@pytest.mark.usefixtures("workers")
@requirement("it.outlives")
async def test_an_it_session_outlives_its_runs(temporal: Temporal, session: str) -> None:
    """Continue-as-new, more than once, loses no project, no address and no key (seed)."""
    handle = temporal.it.get_workflow_handle(names.ID_IT_SESSION + session)
    meta = marked(key="one")
    changes = 3 * SUGGEST_CONTINUE_AS_NEW_AT
    runs: set[str | None] = set()
    async with in_memory(temporal.server("it", session=session, backing_timeout=BACKING_TIMEOUT)) as client:
        await client.call_tool("set_jira_project", {"project": "DEMO-123"})
        first = await client.call_tool("track_ip", {}, meta=meta)
        for number in range(2, changes + 1):
            tracked = await client.call_tool("track_ip", {})
            assert tracked.structured_content is not None
            assert tracked.structured_content["number"] == number
            runs.add((await handle.describe()).run_id)
        again = await client.call_tool("track_ip", {}, meta=meta)
        history = await client.call_tool("get_ip_history", {})
        metrics = await client.call_tool("get_jira_metrics", {})

    assert len(runs) > 2
    assert again.structured_content == first.structured_content
    assert history.structured_content is not None
    assert history.structured_content["tracked"] == changes
    assert text(metrics).startswith("JIRA metrics for DEMO-123")


@pytest.mark.usefixtures("workers")
@requirement("temporal.message-as-run-ends")
async def test_changes_at_the_same_time_are_all_kept_across_runs(temporal: Temporal, session: str) -> None:
    """A signal that arrives while the session continues as new is not lost (Temporal)."""
    changes = 2 * SUGGEST_CONTINUE_AS_NEW_AT
    async with in_memory(temporal.server("it", session=session, backing_timeout=BACKING_TIMEOUT)) as client:
        results = await asyncio.gather(*(client.call_tool("track_ip", {}) for _ in range(changes)))

    numbers = sorted(result.structured_content["number"] for result in results if result.structured_content)
    assert numbers == list(range(1, changes + 1))


@pytest.mark.parametrize(
    ("service", "tool", "sentence"),
    [
        ("finance", "stock_price", "The finance service did not answer within 0.3 s: its worker may be down. Try "),
        ("it", "track_ip", "The IT service did not answer within 0.3 s: its worker may be down. The change may "),
    ],
)
@requirement("mcp.tool-errors")
async def test_a_call_without_a_worker_ends_in_a_sentence(
    temporal: Temporal, session: str, key: str, service: Service, tool: str, sentence: str
) -> None:
    """Within the bound; when the worker is back, the same key gets the answer to the same call (spec)."""
    meta = marked(key=key)
    arguments = {"ticker": "AAPL"} if tool == "stock_price" else {}
    impatient = temporal.server(service, session=session, backing_timeout=timedelta(seconds=0.3))
    async with asyncio.timeout(5), in_memory(impatient) as client:
        unanswered = await client.call_tool(tool, arguments, meta=meta)

    patient = temporal.server(service, session=session, backing_timeout=BACKING_TIMEOUT)
    async with await temporal.env.finance_worker(), await temporal.env.it_worker(), in_memory(patient) as client:
        answered = await client.call_tool(tool, arguments, meta=meta)

    assert unanswered.is_error
    assert text(unanswered).startswith(sentence)
    assert not answered.is_error
    assert "185.50" in text(answered) or "172.16.0.1" in text(answered)


@requirement("mcp.tool-errors")
async def test_a_read_without_a_worker_ends_in_a_sentence(temporal: Temporal, session: str) -> None:
    """A query of a session that exists, but that nobody can run (spec)."""
    patient = temporal.server("it", session=session, backing_timeout=BACKING_TIMEOUT)
    async with await temporal.env.it_worker(), in_memory(patient) as client:
        await client.call_tool("track_ip", {})

    impatient = temporal.server("it", session=session, backing_timeout=timedelta(seconds=0.3))
    async with asyncio.timeout(5), in_memory(impatient) as client:
        history = await client.call_tool("get_ip_history", {})
        metrics = await client.call_tool("get_jira_metrics", {})

    for result in (history, metrics):
        assert result.is_error
        assert text(result).startswith("The IT service did not answer within 0.3 s: its worker may be down.")


async def test_a_server_without_a_temporal_starts_and_says_so() -> None:
    """It connects at the first call; whoever calls learns what is away (spec)."""
    nowhere = await Client.connect("127.0.0.1:1", data_converter=pydantic_data_converter, lazy=True)
    async with in_memory(finance_server(nowhere, backing_timeout=timedelta(seconds=0.5))) as client:
        tools = await client.list_tools()
        price = await client.call_tool("stock_price", {"ticker": "AAPL"})

    assert len(tools.tools) == 2
    assert text(price) == (
        "The finance service cannot be reached: its Temporal server does not answer. Try again later."
    )


@asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


@pytest.mark.parametrize("service", ["finance", "it"])
@requirement("setup.by-hand", "mcp.loopback")
async def test_the_http_process_says_where_it_is_and_stops_when_told(service: Service) -> None:
    """One line on stdout when it answers; code 0 after SIGTERM, with and without a Temporal (spec)."""
    what = {"finance": "finance", "it": "IT"}[service]
    async with process(*program(service, "--port", "0"), TEMPORAL_ADDRESS="127.0.0.1:1") as running:
        assert running.stdout is not None
        line = (await running.stdout.readline()).decode()
        match = re.fullmatch(rf"ready: {what} MCP server on (http://127\.0\.0\.1:\d+/mcp)\n", line)
        assert match
        async with mcp.Client(match[1]) as client:
            assert (await client.list_tools()).tools
        running.terminate()
        out, err = await running.communicate()

    assert running.returncode == 0, err.decode()
    assert out == b""


async def test_a_taken_port_is_an_error_of_setup() -> None:
    """One line that names the way out, code 2, no traceback (spec)."""
    taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with taken:
        port = taken.sockets[0].getsockname()[1]
        async with process(*program("finance", "--port", str(port))) as running:
            out, err = await running.communicate()

    assert (running.returncode, out) == (2, b"")
    assert err.decode() == f"Port {port} is taken by something else: choose another with --port.\n"


@requirement("mcp.doors")
async def test_an_open_door_without_a_token_is_an_error_of_setup() -> None:
    """The process does not even bind (spec)."""
    async with process(*program("it", "--host", "0.0.0.0"), DURABLE_LOOP_MCP_TOKEN="") as running:  # noqa: S104
        out, err = await running.communicate()

    assert (running.returncode, out) == (2, b"")
    assert err.decode().startswith("Listening on 0.0.0.0 opens the server to other machines, and no token is set: ")


@pytest.mark.parametrize("service", ["finance", "it"])
@requirement("mcp.stdio-lifecycle", "mcp.stdout")
async def test_the_stdio_process_ends_when_its_client_leaves(service: Service) -> None:
    """Stdin closes: code 0, and nothing was ever on stdout but the protocol (spec)."""
    async with process(*program(service, "--transport", "stdio"), TEMPORAL_ADDRESS="127.0.0.1:1") as running:
        out, err = await running.communicate(b"")

    assert (running.returncode, out) == (0, b""), err.decode()


@requirement("mcp.stdio-lifecycle")
async def test_the_stdio_process_ends_when_told() -> None:
    """SIGTERM while the client is silent: code 0 (spec)."""
    ping = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
    async with process(*program("finance", "--transport", "stdio")) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(ping)
        assert b'"id":1' in await running.stdout.readline()
        running.terminate()
        assert await running.wait() == 0


@pytest.mark.parametrize("service", ["finance", "it"])
async def test_the_processes_import_neither_agents_nor_a_model_vendor(service: Service) -> None:
    """They start in the time that Temporal and MCP take (spec)."""
    check = (
        f"import sys, mcp_servers.{service}_mcp_server; "
        "print(sorted({'agents', 'litellm', 'openai'} & set(sys.modules)))"
    )
    async with process("-c", check) as running:
        out, err = await running.communicate()

    assert out.decode() == "[]\n", err.decode()
