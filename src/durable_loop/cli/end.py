"""`durable-loop end`: chats answer what they accepted, and take no more."""

from collections.abc import Iterable
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus

from durable_loop.cli import screen
from durable_loop.cli.connecting import found_chat, on_temporal
from durable_loop.cli.output import complain, write
from durable_loop.errors import SettingsError
from durable_loop.settings import Settings

__all__ = ["run_end"]

SOME_UNKNOWN: Final = 1


async def run_end(settings: Settings, chat_ids: Iterable[str], *, stack: bool) -> int:
    """End chats; the exit code says whether there were all of them.

    Raises:
        SetupError: Temporal is unreachable; says what to do.
    """

    async def end(client: Client) -> int:
        ended = [await _ended(client, chat_id, settings) for chat_id in dict.fromkeys(chat_ids)]
        return 0 if all(ended) else SOME_UNKNOWN

    return await on_temporal(end, settings, stack=stack, workers=False)


async def _ended(client: Client, chat_id: str, settings: Settings) -> bool:
    """End one chat, where there is one."""
    try:
        chat, described = await found_chat(client, chat_id, settings)
    except SettingsError as error:
        complain(f"{error}\n")
        return False
    is_open = described.status is WorkflowExecutionStatus.RUNNING
    if is_open:
        await chat.end()
    write(screen.ends(chat.chat_id, is_open=is_open))
    return True
