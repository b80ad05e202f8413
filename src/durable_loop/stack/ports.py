"""Loopback ports: the usual ones where they are free, others where they are not."""

import socket

__all__ = ["choose"]

HOST = "127.0.0.1"


def choose(*wanted: int) -> int:
    """Return the first of `wanted` that is free, else any free port."""
    for port in (*wanted, 0):
        with socket.socket() as probe:
            # As servers do: a port whose last connections linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError("no loopback port is free")
