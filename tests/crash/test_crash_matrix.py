"""Accepted means answered, once: every process, killed with SIGKILL at every moment of a chat."""

import pytest

from durable_loop.testing import Fleet, replay_history
from durable_loop.testing.own_agent import CHAT
from tests.crash.cells import CELLS, REDUCED, Cell, Victim
from tests.crash.conftest import References
from tests.crash.play import disturbed, disturbed_in_the_terminal
from tests.requirements import requirement

pytestmark = pytest.mark.timeout(300)

IN_THE_TERMINAL = (Victim.CLIENT, Victim.ALL)


@pytest.mark.parametrize(
    "cell", [pytest.param(cell, marks=[pytest.mark.reduced] if cell in REDUCED else [], id=str(cell)) for cell in CELLS]
)
@requirement("durability.one-reply", "durability.memory", "durability.one-effect")
async def test_whoever_dies_a_message_has_one_reply_and_each_call_one_effect(
    fleet: Fleet, references: References, table: list[str], cell: Cell
) -> None:
    """The transcript equals that of an undisturbed run; no workflow task failed; every run replays. (seed, ours)"""
    reference = await references.of(cell.moment.story)
    if cell.victim in IN_THE_TERMINAL:
        replies = iter([text.splitlines()[-1] for role, text in reference.transcript if role == "agent"])
        # A step that leaves a question has no reply yet.
        after = (*cell.moment.story.prompts[1:], "You:")
        shown = [prompt if prompt != "You:" else next(replies) for prompt in after]
        outcome = await disturbed_in_the_terminal(fleet, cell, shown)
    else:
        outcome = await disturbed(fleet, cell)

    table.append(
        f"{cell!s:70} {'one each' if outcome.transcript == reference.transcript else 'WRONG':9}"
        f" {'kept' if outcome.remembers else 'LOST':5} {outcome.effects} {outcome.recovery:6.1f} s"
    )
    assert outcome.transcript == reference.transcript
    assert outcome.remembers
    assert outcome.effects == (1, 1)
    for run in outcome.runs:
        assert run.failed_workflow_tasks == []
        await replay_history(run, CHAT.replayer)
