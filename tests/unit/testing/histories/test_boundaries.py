"""Where a history is cut."""

from durable_loop.testing.histories.replaying import boundaries
from tests.unit.testing.histories.samples import STORE, history

KINDS = ("EXECUTION_STARTED", "TASK_SCHEDULED", "TASK_STARTED", "TASK_COMPLETED")


def test_a_history_is_cut_as_a_task_has_begun_and_before_the_next_is_scheduled() -> None:
    """Not before event 2, and not at its end. (Temporal)"""
    first = [f"EVENT_TYPE_WORKFLOW_{kind}" for kind in KINDS]
    then = ["EVENT_TYPE_TIMER_STARTED", "EVENT_TYPE_TIMER_FIRED", *first[1:]]

    assert boundaries([*first, *then]) == [3, 6, 8]


def test_every_workflow_task_of_a_stored_history_is_a_boundary() -> None:
    """Of each one. (ours)"""
    for entry in STORE.entries():
        kinds = history(entry.id).event_types
        tasks = kinds.count("EVENT_TYPE_WORKFLOW_TASK_STARTED")
        assert tasks <= len(boundaries(kinds)) + 1 <= 2 * tasks + 1
