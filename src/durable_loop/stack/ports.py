"""Loopback ports: the usual ones where they are free, others where they are not."""

import socket
from contextlib import ExitStack
from typing import Final, Self

__all__ = ["HOST", "Ports"]

HOST: Final = "127.0.0.1"


class Ports:
    """Chooses ports; while it is open, no other stack of this machine chooses the same.

    A part needs a moment before it listens at its port. Until then the UDP port of the same number, which nothing
    here uses, says that it is taken; the system lets it go with this process, however that ends.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let others have the ports."""
        self._held.close()

    def choose(self, *wanted: int) -> int:
        """Return the first of `wanted` that is free, else any free port.

        Raises:
            OSError: there is none.
        """
        for port in wanted:
            try:
                return self._take(port)
            except OSError:
                continue
        return self._take(0)

    def _take(self, port: int) -> int:
        with socket.socket() as probe, ExitStack() as taking:
            # As servers do: a port whose last connections linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            chosen = probe.getsockname()[1]
            taking.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind((HOST, chosen))
            self._held.push(taking.pop_all())
        return chosen
