"""How often the outside world was asked for a price and told an address, for a chat: counted in the services."""

from collections.abc import Awaitable, Callable

from temporalio.client import Client

from durable_loop import names
from durable_loop.services.it.messages import IpHistory

__all__ = ["effects"]


async def effects(connect: Callable[[str], Awaitable[Client]], chat_id: str) -> tuple[int, int]:
    """Return the finance workflows and the tracked addresses of a chat; `connect` gives a client of a namespace."""
    finance, it = await connect(names.NAMESPACE_FINANCE), await connect(names.NAMESPACE_IT)
    listed = finance.list_workflows(f"WorkflowType = '{names.WORKFLOW_STOCK_PRICE}'")
    prices = [execution async for execution in listed if chat_id in execution.id]
    session = it.get_workflow_handle(names.ID_IT_SESSION + chat_id)
    history = await session.query(names.QUERY_IP_HISTORY, result_type=IpHistory)
    return len(prices), history.tracked
