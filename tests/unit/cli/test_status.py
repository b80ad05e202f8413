"""The parts of a stack on the screen, whole."""

from dataclasses import replace

from durable_loop.cli import status
from durable_loop.cli.overview import Overview, PartNow
from durable_loop.cli.terminal import Look
from durable_loop.stack.messages import StackStatus

PARTS = (
    PartNow("temporal", "up", address="127.0.0.1:7233", version="1.31.2"),
    PartNow("orchestrator-worker", "up", queue="orchestrator-queue", pollers=1, backlog=0),
    PartNow("finance-mcp", "down", address="http://127.0.0.1:8001/mcp", problem="nothing\x1b[2J\nanswers there"),
)
KEPT = Overview(PARTS, StackStatus(notes=("Port 7233 is taken.",), kept=True))


def test_a_pipe_gets_a_line_for_each_part_with_tabs() -> None:
    """Every line has as many fields as the first. (ours)"""
    assert status.plain(KEPT) == (
        "part\tstate\taddress\tversion\tqueue\tpollers\tbacklog\tproblem\n"
        "temporal\tup\t127.0.0.1:7233\t1.31.2\t\t\t\t\n"
        "orchestrator-worker\tup\t\t\torchestrator-queue\t1\t0\t\n"
        "finance-mcp\tdown\thttp://127.0.0.1:8001/mcp\t\t\t\t\tnothing[2J answers there\n"
    )


def test_a_terminal_gets_a_table_and_what_is_wrong_in_sentences() -> None:
    """With the notes of the stack, and how long it stays. (ours)"""
    assert status.table(KEPT, Look(columns=120, plain=True, colours=False)) == (
        "part                 state  address                    version  queue               pollers  backlog\n"
        "temporal             up     127.0.0.1:7233             1.31.2\n"
        "orchestrator-worker  up                                         orchestrator-queue  1        0\n"
        "finance-mcp          down   http://127.0.0.1:8001/mcp\n"
        "finance-mcp: nothing[2J answers there\n"
        "Port 7233 is taken.\n"
        "The stack stays until `durable-loop down`.\n"
    )


def test_a_narrow_terminal_still_sees_what_is_up() -> None:
    """What has no room is left out. (ours)"""
    lines = status.table(replace(KEPT, stack=None), Look(columns=40, plain=True, colours=False)).splitlines()

    assert lines[:2] == ["part                 state  pollers", "temporal             up"]
    assert max(map(len, lines)) <= 40
