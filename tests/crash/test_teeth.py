"""The crash matrix can fail: nobody stopped, or an effect too many, would be seen."""

import asyncio
from pathlib import Path

import psutil
import pytest

from durable_loop.testing import CrashPoint, Fleet, Role
from tests.crash.careless import FORGETS_KEYS
from tests.crash.cells import CELLS, MOMENTS, NONE, REDUCED, Cell, Victim
from tests.crash.conftest import SETTINGS
from tests.crash.play import disturbed, new_chat
from tests.crash.stories import DIALOGUE
from tests.e2e.terminal import ROOT


def test_the_table_has_every_victim_at_every_moment() -> None:
    """A pair is a cell or has a reason why it is none, never both. (ours)"""
    assert {Cell(moment, victim) for moment in MOMENTS for victim in Victim} == set(CELLS) | set(NONE)
    assert len(MOMENTS) * len(Victim) == len(CELLS) + len(NONE)


def test_the_reduced_set_stops_a_process_at_every_crash_point() -> None:
    """CI runs this set. (ours)"""
    assert {cell.moment.point for cell in REDUCED} == {*CrashPoint, None}


@pytest.mark.reduced
async def test_a_process_stops_at_an_armed_point_once_and_goes_on_when_it_is_let(fleet: Fleet) -> None:
    """Otherwise a cell could pass with nobody stopped. (ours)"""
    chat = await new_chat(fleet, DIALOGUE)
    fleet.arm(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)
    sending = asyncio.create_task(chat.send("Calculate 2 + 3"))
    stopped = await fleet.stopped(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)

    assert psutil.Process(stopped.pid).status() == psutil.STATUS_STOPPED
    assert not sending.done()

    stopped.go_on()
    assert (await sending).text == "The result is 5."
    assert all(psutil.Process(member.pid).status() != psutil.STATUS_STOPPED for member in fleet.members)


@pytest.mark.reduced
async def test_a_server_that_forgets_the_key_of_a_call_is_seen_by_its_second_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same cell, with an MCP server as the public samples have it. (ours)"""
    (moment,) = (moment for moment in MOMENTS if moment.point is CrashPoint.AFTER_MCP_CALL)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the processes import `tests`
    careless = SETTINGS.model_copy(update={"interceptors": (FORGETS_KEYS,)})

    async with Fleet.start(tmp_path / "fleet", careless) as fleet:
        outcome = await disturbed(fleet, Cell(moment, Victim.ORCHESTRATOR_WORKER))

    assert outcome.effects == (2, 1)
