"""Leaving an agent replays what was written meanwhile: whoever began it, and behind the tools as well."""

from dataclasses import replace

import pytest
from temporalio.client import Client

from durable_loop import names
from durable_loop.chat.client import Chat, new_chat_id
from durable_loop.chat.messages import ChatInput
from durable_loop.testing import DriftFoundError, Environment, NonDeterminismFoundError, Script, calls, own_agent, says
from tests.e2e.waiting import eventually
from tests.replay.changed_services import CHANGED_SERVICES
from tests.replay.changed_workflow import ChangedChatWorkflow, ShoutingChatWorkflow
from tests.requirements import requirement


@requirement("harness.fresh-replay")
@pytest.mark.parametrize(
    ("changed", "error"),
    [(ChangedChatWorkflow, NonDeterminismFoundError), (ShoutingChatWorkflow, DriftFoundError)],
)
async def test_a_chat_that_was_just_written_is_replayed(
    env: Environment, monkeypatch: pytest.MonkeyPatch, changed: type, error: type[Exception]
) -> None:
    """Also one that another program began, as a terminal does. (ours)"""
    monkeypatch.setattr(own_agent, "CHAT", replace(own_agent.CHAT, workflows=[changed]))

    async def chat_is_begun_elsewhere() -> None:
        async with env.agent(Script(says("Hello."))) as agent:
            queue = agent.settings.orchestrator_queue
            client = await env.client()
            chat = Chat(client, new_chat_id(), ChatInput(model=names.MODEL_OFFLINE), task_queue=queue)
            await chat.send("Hi")
            await eventually(lambda: is_listed(client, chat.chat_id))

    with pytest.raises(error, match="chat-"):
        await chat_is_begun_elsewhere()


async def is_listed(client: Client, workflow_id: str) -> bool:
    return [found async for found in client.list_workflows(f"WorkflowId = '{workflow_id}'")] != []


@requirement("harness.fresh-replay")
@pytest.mark.parametrize(
    ("tool", "arguments", "workflow"),
    [("stock_price", {"ticker": "AAPL"}, "stock-price"), ("get_jira_metrics", {}, "jira-metrics")],
)
async def test_what_is_behind_a_tool_is_replayed(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tool: str, arguments: dict[str, str], workflow: str
) -> None:
    """Of both services. (ours)"""
    monkeypatch.setattr(own_agent, "SERVICES", replace(own_agent.SERVICES, workflows=CHANGED_SERVICES))

    script = Script(calls("set_jira_project", project="DEMO-1"), calls(tool, **arguments), says("So."))

    with pytest.raises(NonDeterminismFoundError, match=f"^{workflow}-sha256"):
        async with env.agent(script) as agent:
            await agent.chat(f"{new_chat_id()}'s").send("Look")  # an id that is made safe
