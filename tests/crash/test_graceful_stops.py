"""SIGTERM: what a process does is finished, or handed over without a wait; nothing is lost or done twice."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from durable_loop.chat.client import Chat
from durable_loop.testing import CrashPoint, Fleet, Member, Role
from tests.crash.cells import MOMENTS, Cell, Victim
from tests.crash.conftest import SETTINGS, References
from tests.crash.play import disturbed, new_chat
from tests.crash.stories import DIALOGUE
from tests.e2e.waiting import activity_runs, eventually
from tests.requirements import requirement

pytestmark = [pytest.mark.timeout(300), pytest.mark.reduced]

BUSY = (
    ("in a model call", Victim.ORCHESTRATOR_WORKER),
    ("before an MCP call", Victim.ORCHESTRATOR_WORKER),
    ("after the backing workflow started", Victim.FINANCE_MCP),
    ("before the backing activity", Victim.FINANCE_WORKER),
    ("after the IT change was sent", Victim.IT_MCP),
    ("in the IT change", Victim.IT_WORKER),
)


@pytest.mark.parametrize(("moment", "victim"), BUSY, ids=[f"{victim}, {moment}" for moment, victim in BUSY])
@requirement("durability.sigterm")
async def test_a_process_that_is_told_to_stop_loses_nothing(
    fleet: Fleet, references: References, moment: str, victim: Victim
) -> None:
    """In the midst of a call: exit code 0, the same transcript, one effect. (ours)"""
    (found,) = (each for each in MOMENTS if each.name == moment)
    codes: list[int | None] = []

    async def stop(member: Member) -> None:
        codes.append(await member.stop())

    outcome = await disturbed(fleet, Cell(found, victim), end=stop)

    assert codes == [0]
    assert outcome.transcript == (await references.of(DIALOGUE)).transcript
    assert outcome.effects == (1, 1)


@requirement("durability.sigterm")
async def test_a_call_that_takes_longer_than_the_grace_is_handed_over_at_once(tmp_path: Path) -> None:
    """Another worker makes it anew, and waits for no heartbeat or retry: that would take ten minutes. (ours)"""
    patient = SETTINGS.model_copy(
        update={
            "heartbeat_timeout": timedelta(minutes=10),
            "first_retry_after": timedelta(minutes=10),
            "graceful_shutdown": timedelta(seconds=0.5),
        }
    )
    async with Fleet.start(tmp_path / "fleet", patient) as fleet:
        first, second = fleet.having(Role.ORCHESTRATOR_WORKER)
        await second.stop()
        chat = await new_chat(fleet, DIALOGUE)
        with fleet.holding(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL):
            sending = asyncio.create_task(chat.send("Calculate 2 + 3"))
            await eventually(lambda: activity_runs(chat, "invoke_model_activity"))
            await second.start()

            assert await first.stop() == 0
            await eventually(lambda: is_tried_again(chat))
        assert (await sending).text == "The result is 5."


async def is_tried_again(chat: Chat) -> bool:
    """Whether a worker makes the chat's call for the second time."""
    return any(doing.attempt == 2 for doing in await chat.under_way())
