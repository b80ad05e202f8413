"""Who holds the stack: one loopback connection a client, which the kernel closes however the client dies."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from pydantic import ValidationError

from durable_loop.stack import ports
from durable_loop.stack.messages import Operation, Request, StackStatus

__all__ = ["Leases"]

logger = logging.getLogger(__name__)

# A client that was started together with the stack has this long to call.
FIRST_CLIENT_TIMEOUT = 30.0
REQUEST_TIMEOUT = 5.0


class Leases:
    """The control server. `over` is set when nobody holds the stack any more, or someone ended it."""

    def __init__(
        self, token: str, *, kept: bool, status: Callable[[], StackStatus], changed: Callable[[], None]
    ) -> None:
        self.token = token
        self._status = status
        self._changed = changed
        self._clients: set[asyncio.StreamWriter] = set()
        self._holders: set[asyncio.StreamWriter] = set()
        self.kept = kept
        self.over = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._serve, ports.HOST, 0)
        asyncio.get_running_loop().call_later(FIRST_CLIENT_TIMEOUT, self._end_if_unheld)
        return self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Take no new clients: the stack is ending."""
        self.over.set()
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Let the clients go: to them, the closed connection is the end of the stack."""
        for writer in self._clients:
            writer.close()

    def tell(self) -> None:
        """Send the stack's status to every client."""
        line = self._status().model_dump_json().encode() + b"\n"
        for writer in self._clients:
            writer.write(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = Request.model_validate_json(await asyncio.wait_for(reader.readline(), REQUEST_TIMEOUT))
        except (TimeoutError, ValidationError, ValueError, ConnectionError):
            writer.close()
            return
        if self.over.is_set():
            writer.close()
            return
        if not request.allowed(self.token):
            logger.warning("A client without the token was turned away")
            writer.close()
            return
        self._clients.add(writer)
        self._obey(request.operation, writer)
        self._changed()
        try:
            while await reader.read(1024):  # a client says nothing more: this ends when it goes
                pass
        except ConnectionError:
            pass
        finally:
            self._clients.discard(writer)
            self._holders.discard(writer)
            with suppress(ConnectionError):
                writer.close()
            if request.operation is Operation.JOIN:
                self._end_if_unheld()

    def _obey(self, operation: Operation, writer: asyncio.StreamWriter) -> None:
        match operation:
            case Operation.JOIN:
                self._holders.add(writer)
            case Operation.KEEP:
                self.kept = True
            case Operation.DOWN:
                self.over.set()
            case Operation.LOOK:
                pass

    def _end_if_unheld(self) -> None:
        if not self._holders and not self.kept:
            self.over.set()
