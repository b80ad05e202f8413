"""A port in front of a server: who comes through it loses the server when the port is closed."""

import asyncio
from contextlib import suppress

HOST = "127.0.0.1"


class Relay:
    """Passes on what goes through its port, while that is open; the same port each time."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port_behind = address.rpartition(":")
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def address(self) -> str:
        """Where it is, once it was open."""
        return f"{HOST}:{self._port}"

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._pass_on, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse, and end what was connected."""
        if self._server is not None:
            self._server.close()
        for writer in self._connections:
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(self._host, int(self._port_behind))
        ends = {writer, behind_writer}
        self._connections |= ends
        await asyncio.gather(_copied(reader, behind_writer), _copied(behind_reader, writer))
        self._connections -= ends


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(65536):
            writer.write(said)
            await writer.drain()
    writer.close()
