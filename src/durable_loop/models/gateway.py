"""LiteLLM, kept at arm's length: the only module that imports it, and only when a model of a provider is asked for.

The import takes 8-10 s of CPU, so it runs in a thread and the heartbeats of the activity go on.
"""

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from agents import Model

from durable_loop.errors import ModelSetupError
from durable_loop.models.quiet import set_quiet_environment

if TYPE_CHECKING:
    from agents.extensions.models.litellm_model import LitellmModel

__all__ = ["close_clients", "open_model", "warm_up"]


async def open_model(name: str, *, api_key: str | None) -> Model:
    """Return the Agents SDK's model for a LiteLLM name; without `api_key` LiteLLM finds the key itself.

    Raises:
        ModelSetupError: LiteLLM is not installed.
    """
    model_type = await asyncio.to_thread(_load)
    return model_type(name, api_key=api_key)


async def warm_up() -> None:
    """Import LiteLLM now, so that the first turn does not wait for it."""
    await asyncio.to_thread(_load)


async def close_clients() -> None:
    """Close LiteLLM's cached HTTP clients (they belong to the process); it can be used again afterwards."""
    litellm = sys.modules.get("litellm")
    if litellm is not None:
        await litellm.close_litellm_async_clients()
        litellm.in_memory_llm_clients_cache.flush_cache()


def _load() -> "type[LitellmModel]":
    set_quiet_environment(os.environ)
    try:
        import litellm  # noqa: PLC0415  # takes seconds: only where a provider's model is used
        from agents.extensions.models.litellm_model import LitellmModel  # noqa: PLC0415  # imports litellm
    except ImportError as error:
        raise ModelSetupError(
            "This model needs LiteLLM, which is not installed: pip install 'durable-loop[models]', "
            "or leave LLM_MODEL out to chat with the offline model."
        ) from error
    # It prints advertisements for its bug tracker to stdout when a call fails.
    litellm.suppress_debug_info = True
    # httpx instead of aiohttp, which leaves sessions open when the process ends.
    litellm.disable_aiohttp_transport = True
    return LitellmModel
