"""Other versions of the chat: an older one, and some for histories and replays that must fail."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():  # as the chat itself
    from agents import FunctionTool
    from mcp.server.mcpserver import MCPServer

    from durable_loop import names
    from durable_loop.bootstrap.orchestrator import agents_plugin
    from durable_loop.chat.activities import calculator
    from durable_loop.chat.messages import ChatInput, OpenQuestions, Reply
    from durable_loop.chat.tool_log import ToolLog
    from durable_loop.chat.tool_messages import CalculatorInput
    from durable_loop.chat.workflow import ChatWorkflow
    from durable_loop.testing import Environment, FakeModel, FakeModelProvider, Script, TestedChat
    from durable_loop.testing.memory import InMemoryMCPServer

__all__ = [
    "ChangedChatWorkflow",
    "ForgetfulChatWorkflow",
    "ShoutingChatWorkflow",
    "UnlistedChatWorkflow",
    "changed_chat_worker",
]


@workflow.defn(name=names.WORKFLOW_CHAT)
class ChangedChatWorkflow(ChatWorkflow):
    """The chat, but it calculates something before it does anything else."""

    @workflow.init
    def __init__(self, chat: ChatInput) -> None:
        super().__init__(chat)

    @workflow.run
    async def run(self, chat: ChatInput) -> None:
        """Calculate, then chat."""
        await workflow.execute_activity(
            calculator, CalculatorInput(expression="1+1"), start_to_close_timeout=timedelta(seconds=10)
        )
        await super().run(chat)


@workflow.defn(name=names.WORKFLOW_CHAT)
class UnlistedChatWorkflow(ChatWorkflow):
    """The chat, but it asks no MCP server for its tools."""

    @workflow.init
    def __init__(self, chat: ChatInput) -> None:
        super().__init__(chat)

    @workflow.run
    async def run(self, chat: ChatInput) -> None:
        """Chat."""
        await super().run(chat)

    async def _offered_tools(self, log: ToolLog) -> tuple[tuple[str, ...], list[FunctionTool]]:  # noqa: ARG002 - as inherited
        return (), list(self._tools)


@workflow.defn(name=names.WORKFLOW_CHAT)
class ForgetfulChatWorkflow(ChatWorkflow):
    """The chat as it was without the patch `cancel-before-accept`."""

    @workflow.init
    def __init__(self, chat: ChatInput) -> None:
        super().__init__(chat)

    @workflow.run
    async def run(self, chat: ChatInput) -> None:
        """Chat."""
        await super().run(chat)

    @workflow.signal(name=names.SIGNAL_CANCEL_TURN)
    def cancel_turn(self, turn_id: str) -> None:
        """Do nothing about a turn that is not known yet."""
        if self._state.knows(turn_id):
            super().cancel_turn(turn_id)


@workflow.defn(name=names.WORKFLOW_CHAT)
class ShoutingChatWorkflow(ChatWorkflow):
    """The chat, but what it answers is another text."""

    @workflow.init
    def __init__(self, chat: ChatInput) -> None:
        super().__init__(chat)

    @workflow.run
    async def run(self, chat: ChatInput) -> None:
        """Chat."""
        await super().run(chat)

    async def _outcome(self, turn_id: str) -> Reply | OpenQuestions:
        answer = await super()._outcome(turn_id)
        return answer.model_copy(update={"text": answer.text.upper()}) if isinstance(answer, Reply) else answer


@asynccontextmanager
async def changed_chat_worker(
    env: Environment, script: Script, changed: type[ChatWorkflow], chat_id: str
) -> AsyncGenerator[TestedChat]:
    """Run a worker of a changed chat, and give a chat with it."""
    queue = f"changed-{uuid4().hex[:12]}"
    plugin = agents_plugin(
        env.settings,
        provider=FakeModelProvider(FakeModel(script)),
        mcp_servers={
            names.MCP_FINANCE: lambda: InMemoryMCPServer(names.MCP_FINANCE, MCPServer(names.MCP_FINANCE)),
            names.MCP_IT: lambda: InMemoryMCPServer(names.MCP_IT, MCPServer(names.MCP_IT)),
        },
    )
    client = await Client.connect(env.address, plugins=[plugin])
    async with Worker(client, task_queue=queue, workflows=[changed], activities=[calculator]):
        plain = await env.client()
        yield TestedChat(plain, chat_id, ChatInput(model=names.MODEL_OFFLINE), task_queue=queue)
