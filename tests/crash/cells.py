"""What dies when: the table of the crash matrix.

A cell is a moment and a victim. Each pair is either a cell or has a reason why it is none;
`test_teeth.py` counts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from durable_loop.testing import CrashPoint, Role
from tests.crash.stories import APPROVED, CANCELLED, COMPACTED, CONTINUED, DIALOGUE, ENDED, Story

__all__ = ["CELLS", "MOMENTS", "NONE", "REDUCED", "Cell", "Moment", "Victim"]


class Victim(StrEnum):
    """Who is killed, with SIGKILL."""

    ORCHESTRATOR_WORKER = "orchestrator worker"
    FINANCE_WORKER = "finance worker"
    IT_WORKER = "IT worker"
    FINANCE_MCP = "finance MCP server"
    IT_MCP = "IT MCP server"
    TEMPORAL = "dev server"
    CLIENT = "client"
    ALL = "all at once"

    @property
    def roles(self) -> tuple[Role, ...]:
        """The processes of the fleet that die; the client is none of them."""
        if self is Victim.ALL:
            return tuple(Role)
        return () if self is Victim.CLIENT else (Role[self.name],)


@dataclass(frozen=True, eq=False)  # told apart by identity
class Moment:
    """A step of a story, and where in it a process is stopped; without a point: just before the step."""

    name: str
    story: Story = DIALOGUE
    step: int = 1
    role: Role = Role.ORCHESTRATOR_WORKER
    point: CrashPoint | None = None
    kills: tuple[Victim, ...] = ()
    # Why the others are no cells.
    none: Mapping[str, tuple[Victim, ...]] = field(default_factory=dict[str, tuple[Victim, ...]])


@dataclass(frozen=True)
class Cell:
    """One test: at this moment, that victim."""

    moment: Moment
    victim: Victim

    def __str__(self) -> str:
        """Name it as the printed table does."""
        return f"{self.moment.name}: {self.victim}"


ORCHESTRATOR: Final = Victim.ORCHESTRATOR_WORKER
TEMPORAL: Final = Victim.TEMPORAL
CLIENT: Final = Victim.CLIENT
ALL: Final = Victim.ALL
FINANCE: Final = (Victim.FINANCE_WORKER, Victim.FINANCE_MCP)
IT: Final = (Victim.IT_WORKER, Victim.IT_MCP)

IDLE = "It does nothing at this moment: its death is that of the moment between turns."
WAITS = "A client only waits, whatever is done meanwhile: its deaths are those in a model call and in an MCP call."
BOTH = "Nothing was reported since the moment before: what is on disk, and who must go on, is the same as there."
NOT_ACCEPTED = "The message is not accepted yet, and with its client gone nobody sends it again: nothing is promised."
BY_TEXT = "The terminal has no words for this step; the library is the client."

MOMENTS: Final = (
    Moment(
        "the update's handler begins",
        point=CrashPoint.UPDATE_ACCEPTED,
        kills=(ORCHESTRATOR, TEMPORAL, CLIENT),
        none={IDLE: (*FINANCE, *IT), NOT_ACCEPTED: (ALL,)},
    ),
    Moment(
        "before the tool listing",
        step=0,
        point=CrashPoint.BEFORE_TOOL_LISTING,
        kills=(ORCHESTRATOR, Victim.FINANCE_MCP, Victim.IT_MCP, TEMPORAL, ALL),
        none={IDLE: (Victim.FINANCE_WORKER, Victim.IT_WORKER), WAITS: (CLIENT,)},
    ),
    Moment(
        "after the tool listing",
        step=0,
        point=CrashPoint.AFTER_TOOL_LISTING,
        kills=(ORCHESTRATOR, TEMPORAL),
        none={IDLE: (*FINANCE, *IT), WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "before a model call",
        point=CrashPoint.BEFORE_MODEL_CALL,
        kills=(ORCHESTRATOR, TEMPORAL),
        none={IDLE: (*FINANCE, *IT), WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "in a model call",
        point=CrashPoint.IN_MODEL_CALL,
        kills=(ORCHESTRATOR, TEMPORAL, CLIENT, ALL),
        none={IDLE: (*FINANCE, *IT)},
    ),
    Moment(
        "after a model call",
        point=CrashPoint.AFTER_MODEL_CALL,
        kills=(ORCHESTRATOR, TEMPORAL, ALL),
        none={IDLE: (*FINANCE, *IT), WAITS: (CLIENT,)},
    ),
    Moment(
        "before a local tool",
        point=CrashPoint.BEFORE_ACTIVITY,
        kills=(ORCHESTRATOR, TEMPORAL),
        none={IDLE: (*FINANCE, *IT), WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "after a local tool",
        point=CrashPoint.AFTER_ACTIVITY,
        kills=(ORCHESTRATOR, TEMPORAL, ALL),
        none={IDLE: (*FINANCE, *IT), WAITS: (CLIENT,)},
    ),
    Moment(
        "before an MCP call",
        point=CrashPoint.BEFORE_MCP_CALL,
        kills=(ORCHESTRATOR, Victim.FINANCE_MCP, TEMPORAL),
        none={IDLE: (Victim.FINANCE_WORKER, *IT), WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "before the backing workflow starts",
        role=Role.FINANCE_MCP,
        point=CrashPoint.BEFORE_START_WORKFLOW,
        kills=(ORCHESTRATOR, Victim.FINANCE_MCP, TEMPORAL),
        none={IDLE: (Victim.FINANCE_WORKER, *IT), WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "after the backing workflow started",
        role=Role.FINANCE_MCP,
        point=CrashPoint.AFTER_START_WORKFLOW,
        kills=(ORCHESTRATOR, *FINANCE, TEMPORAL, CLIENT, ALL),
        none={IDLE: IT},
    ),
    Moment(
        "before the backing activity",
        role=Role.FINANCE_WORKER,
        point=CrashPoint.BEFORE_ACTIVITY,
        kills=(ORCHESTRATOR, *FINANCE, TEMPORAL),
        none={IDLE: IT, WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "after the backing activity",
        role=Role.FINANCE_WORKER,
        point=CrashPoint.AFTER_ACTIVITY,
        kills=(Victim.FINANCE_WORKER, TEMPORAL, ALL),
        none={IDLE: IT, BOTH: (ORCHESTRATOR, Victim.FINANCE_MCP), WAITS: (CLIENT,)},
    ),
    Moment(
        "before the IT change",
        role=Role.IT_MCP,
        point=CrashPoint.BEFORE_START_WORKFLOW,
        kills=(ORCHESTRATOR, Victim.IT_MCP, TEMPORAL),
        none={IDLE: (*FINANCE, Victim.IT_WORKER), WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "after the IT change was sent",
        role=Role.IT_MCP,
        point=CrashPoint.AFTER_START_WORKFLOW,
        kills=(ORCHESTRATOR, *IT, TEMPORAL, ALL),
        none={IDLE: FINANCE, WAITS: (CLIENT,)},
    ),
    Moment(
        "in the IT change",
        role=Role.IT_WORKER,
        point=CrashPoint.SIGNAL_RECEIVED,
        kills=(ORCHESTRATOR, *IT, TEMPORAL),
        none={IDLE: FINANCE, WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment(
        "after an MCP call",
        point=CrashPoint.AFTER_MCP_CALL,
        kills=(ORCHESTRATOR, TEMPORAL, ALL),
        none={IDLE: (*FINANCE, *IT), WAITS: (CLIENT,)},
    ),
    Moment(
        "the update has its result",
        point=CrashPoint.UPDATE_COMPLETED,
        kills=(ORCHESTRATOR, TEMPORAL),
        none={IDLE: (*FINANCE, *IT), WAITS: (CLIENT,), BOTH: (ALL,)},
    ),
    Moment("between turns", kills=tuple(Victim)),
    Moment(
        "continuing as new",
        story=CONTINUED,
        point=CrashPoint.CONTINUING_AS_NEW,
        kills=(ORCHESTRATOR, TEMPORAL, CLIENT, ALL),
        none={IDLE: (*FINANCE, *IT)},
    ),
    Moment(
        "a cancel arrives in a model call",
        story=CANCELLED,
        step=2,
        point=CrashPoint.SIGNAL_RECEIVED,
        kills=(ORCHESTRATOR, TEMPORAL),
        none={IDLE: (*FINANCE, *IT), BY_TEXT: (CLIENT, ALL)},
    ),
    Moment(
        "a question is open",
        story=APPROVED,
        step=2,
        kills=(ORCHESTRATOR, TEMPORAL, CLIENT, ALL),
        none={IDLE: (*FINANCE, *IT)},
    ),
    Moment(
        "the answer to a question arrives",
        story=APPROVED,
        step=2,
        point=CrashPoint.SIGNAL_RECEIVED,
        kills=(ORCHESTRATOR, TEMPORAL, CLIENT, ALL),
        none={IDLE: (*FINANCE, *IT)},
    ),
    Moment(
        "a summary is written",
        story=COMPACTED,
        step=2,
        point=CrashPoint.IN_MODEL_CALL,
        kills=(ORCHESTRATOR, TEMPORAL),
        none={IDLE: (*FINANCE, *IT), BY_TEXT: (CLIENT, ALL)},
    ),
    Moment(
        "the chat is ended",
        story=ENDED,
        step=3,
        point=CrashPoint.SIGNAL_RECEIVED,
        kills=(ORCHESTRATOR, TEMPORAL),
        none={IDLE: (*FINANCE, *IT), BY_TEXT: (CLIENT, ALL)},
    ),
)

CELLS: Final = tuple(Cell(moment, victim) for moment in MOMENTS for victim in moment.kills)
# The first cell of each moment: every crash point once.
REDUCED: Final = frozenset(Cell(moment, moment.kills[0]) for moment in MOMENTS)
NONE: Final = {
    Cell(moment, victim): reason for moment in MOMENTS for reason, victims in moment.none.items() for victim in victims
}
