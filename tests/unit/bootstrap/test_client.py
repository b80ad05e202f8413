"""A connection is there, or it is said why not."""

import asyncio
from datetime import timedelta

import pytest

from durable_loop.bootstrap import client
from durable_loop.errors import TemporalUnreachableError


async def test_what_takes_the_call_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like what is away: where, why, and what to do. (ours)"""
    monkeypatch.setattr(client, "ANSWER_TIMEOUT", timedelta(seconds=0.1))
    over = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(
            TemporalUnreachableError,
            match=rf"^No Temporal answers at {address}: whatever listens there says nothing for 0.1 seconds\n"
            r"Have a local server started",
        ):
            await client.connect(address=address)
        over.set()
