"""Every process of the stack for itself: stopped at a crash point, killed, started again.

The commands are those of the embedded stack, and so is the dev server on its file; nothing watches
them, so that what a test kills stays dead until the test starts it again. There are two orchestrator
workers: one goes on where the other was killed.

    async with Fleet.start(folder) as fleet:
        fleet.arm(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)
        sending = asyncio.create_task(chat.send("Hi"))
        worker = await fleet.stopped(Role.ORCHESTRATOR_WORKER, CrashPoint.IN_MODEL_CALL)
        await worker.kill()
        await sending
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, Self

from temporalio.client import Client

from durable_loop.bootstrap.client import connect, until_it_answers
from durable_loop.settings import Settings
from durable_loop.stack.folder import StackFolder
from durable_loop.stack.plan import PartPlan, make_plan
from durable_loop.stack.ports import Ports
from durable_loop.testing.crash import INTERCEPTOR, CrashPoint, CrashPoints
from durable_loop.testing.errors import HarnessError
from durable_loop.testing.processes import MortalProcess, variables

__all__ = ["Fleet", "Member", "Role"]

STANDBY: Final = "-standby"


class Role(StrEnum):
    """What a process is there for; the names are those of the stack's parts."""

    TEMPORAL = "temporal"
    ORCHESTRATOR_WORKER = "orchestrator-worker"
    FINANCE_WORKER = "finance-worker"
    IT_WORKER = "it-worker"
    FINANCE_MCP = "finance-mcp"
    IT_MCP = "it-mcp"


class Member(MortalProcess):
    """One process of the fleet."""

    def __init__(self, name: str, plan: PartPlan, *, address: str, environment: Mapping[str, str], log: Path) -> None:
        self.role = Role(plan.name)
        probe = partial(until_it_answers, address) if self.role is Role.TEMPORAL else None
        super().__init__(name, plan.command, environment=environment, log=log, probe=probe)


class Fleet:
    """The stack's processes by their roles, and the crash points of each role."""

    def __init__(self, settings: Settings, folder: Path, ports: Ports) -> None:
        plan = make_plan(settings, StackFolder(folder), None, choose=ports.choose)
        if plan.server is None:
            raise HarnessError("A fleet kills its Temporal, and TEMPORAL_ADDRESS names one of yours: unset it.")
        self.settings = settings
        self.address = plan.temporal_address
        # For other programs: `client.py --no-stack` finds the fleet by it.
        self.environment: Mapping[str, str] = {**variables(settings), **plan.environment}
        self._crash_points = {role: CrashPoints(folder / "crash-points" / role) for role in Role}
        self.members: Sequence[Member] = [
            Member(
                name,
                part,
                address=self.address,
                environment={**self.environment, **self._crash_points[Role(part.name)].environment},
                log=folder / f"{name}.log",
            )
            for part in (plan.server, *plan.parts)
            for name in ([part.name, part.name + STANDBY] if part.name == Role.ORCHESTRATOR_WORKER else [part.name])
        ]

    @classmethod
    @asynccontextmanager
    async def start(cls, folder: Path, settings: Settings | None = None) -> AsyncGenerator[Self]:
        """Start every process, its files and logs in `folder`; kill those that are left after the block.

        Raises:
            HarnessError: the environment names a Temporal that is not ours to kill.
            ProcessNotReadyError: a process did not start.
        """
        chosen = settings or Settings()
        chosen = chosen.model_copy(
            update={"data_dir": folder, "interceptors": (INTERCEPTOR, *chosen.interceptors)},
        )
        with Ports() as ports:
            fleet = cls(chosen, folder, ports)
            try:
                await fleet.heal()
                yield fleet
            finally:
                await asyncio.gather(*(member.kill() for member in fleet.members))

    async def client(self, namespace: str | None = None) -> Client:
        """Connect a plain client to the fleet's Temporal, by default to the namespace of the chats."""
        return await connect(address=self.address, namespace=namespace)

    def having(self, role: Role) -> list[Member]:
        """Return the members with this role."""
        return [member for member in self.members if member.role is role]

    async def heal(self) -> None:
        """Start again whatever is dead, let go on whatever is stopped; return when all are healthy.

        Raises:
            ProcessNotReadyError: a process did not start.
        """
        for member in self.members:
            member.go_on()
        for member in self.having(Role.TEMPORAL):  # the others say nothing without it
            await member.start()
        await asyncio.gather(*(member.start() for member in self.members))

    def arm(self, role: Role, point: CrashPoint) -> None:
        """Have the first process of this role that comes to `point` from now on stop there."""
        self._crash_points[role].arm(point)

    def disarm(self) -> None:
        """Have nobody stopped or held any more."""
        for points in self._crash_points.values():
            points.disarm()

    def holding(self, role: Role, point: CrashPoint) -> AbstractContextManager[None]:
        """Hold whatever comes to `point` in these processes during the block, while they go on."""
        return self._crash_points[role].holding(point)

    async def stopped(self, role: Role, point: CrashPoint) -> Member:
        """Return the member that stopped at `point`, as soon as one does.

        Raises:
            TimeoutError: none did.
        """
        found = await self._crash_points[role].reached(point)
        return next(member for member in self.members if member.pid == found.pid)
