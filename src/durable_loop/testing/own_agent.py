"""Our own chat, and the workflows behind its tools, as the harness takes any agent: for replays."""

from typing import Final

from durable_loop.bootstrap.orchestrator import agents_plugin
from durable_loop.chat.workflow import ChatWorkflow
from durable_loop.services.finance import worker as finance
from durable_loop.services.it import worker as it
from durable_loop.settings import Settings
from durable_loop.testing.durable_agent import DurableAgent

__all__ = ["CHAT", "SERVICES"]

CHAT: Final = DurableAgent(
    workflows=[ChatWorkflow], make_plugin=lambda provider: agents_plugin(Settings(), provider=provider)
)
SERVICES: Final = DurableAgent(workflows=[*finance.WORKFLOWS, *it.WORKFLOWS], calls_models=False)
