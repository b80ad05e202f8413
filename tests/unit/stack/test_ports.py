"""Ports of stacks that start at the same moment."""

import socket

from durable_loop.stack.ports import HOST, Ports
from tests.requirements import requirement


def free_port() -> int:
    """Return a port that nothing uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@requirement("stack.ports")
def test_two_stacks_that_start_at_once_choose_different_ports() -> None:
    """Before any part listens; what one lets go the next one has. (ours)"""
    wanted = free_port()

    with Ports() as first, Ports() as second:
        assert first.choose(wanted) == wanted
        assert second.choose(wanted) not in (0, wanted)
        # Whoever was given it can use it.
        with socket.socket() as part:
            part.bind((HOST, wanted))
    with Ports() as third:
        assert third.choose(wanted) == wanted


def test_a_port_that_something_listens_at_is_not_chosen() -> None:
    """The next of those that are wanted is. (ours)"""
    other = free_port()
    with socket.socket() as listener, Ports() as ports:
        listener.bind((HOST, 0))
        listener.listen()

        assert ports.choose(listener.getsockname()[1], other) == other
