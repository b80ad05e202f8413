"""What a shell offers for the id of a chat: quickly and silently, or nothing."""

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from durable_loop import names
from durable_loop.errors import DurableLoopError
from durable_loop.settings import load_settings

__all__ = ["chat_ids"]

# Whoever presses the key waits for it.
PATIENCE: Final = timedelta(seconds=1)
LOOKED_AT: Final = 500
# A shell evaluates what it is offered, and anybody may have named a workflow.
_HARMLESS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def chat_ids(incomplete: str) -> list[str]:
    """Return the chats whose id begins so, the newest first; none where Temporal does not tell them in time."""
    # Where it takes longer the process ends without the thread.
    asking = ThreadPoolExecutor(max_workers=1).submit(_known)
    try:
        known = asking.result(PATIENCE.total_seconds())
    except (TimeoutError, OSError, DurableLoopError):
        return []
    return [id_ for id_ in known if id_.startswith(incomplete) and _HARMLESS.fullmatch(id_)]


# What is large comes in only here, in the thread whose end is not waited for.
# ruff: noqa: PLC0415


def _known() -> Sequence[str]:
    from durable_loop.bootstrap.client import configured_address
    from durable_loop.stack.folder import StackFolder
    from durable_loop.stack.messages import StackState

    stack = StackState.read(StackFolder(load_settings().data_dir).state)
    address = stack.temporal_address if stack else configured_address()
    return asyncio.run(_listed(address)) if address else []


async def _listed(address: str) -> Sequence[str]:
    from temporalio.service import RPCError

    from durable_loop.bootstrap.client import connect

    client = await connect(address=address)
    try:
        runs = client.list_workflows(f"WorkflowType = '{names.WORKFLOW_CHAT}'", limit=LOOKED_AT)
        return list(dict.fromkeys([run.id async for run in runs]))
    except RPCError:
        return []
