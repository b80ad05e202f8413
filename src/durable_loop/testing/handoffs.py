"""What a script says of handoffs, held against those that a request offers to the agent that asks."""

from collections.abc import Sequence
from typing import Any

from agents import Handoff, Tool

from durable_loop.testing.errors import LostPlaceError, NoSuchHandoffError
from durable_loop.testing.script import Place, Script
from durable_loop.testing.steps import Call, Calls, HandsOff, Step

__all__ = ["as_offered"]


def as_offered(
    step: Step, script: Script, place: Place, *, tools: Sequence[Tool], handoffs: Sequence[Handoff[Any, Any]]
) -> Step:
    """Return the step; a handoff as the call of the tool that the request offers for it, whatever its name.

    Raises:
        NoSuchHandoffError: it offers none to that agent.
        LostPlaceError: it is the request of an agent that has taken over, and stands before that in the script.
    """
    if isinstance(step, HandsOff):
        name = _tool_to(step.agent, handoffs)
        if name is None:
            offered = [f"{one.agent_name} ({one.tool_name})" for one in handoffs]
            raise NoSuchHandoffError(position=str(place), agent=step.agent, offered=offered)
        return Calls(calls=(Call(tool=name),))
    # Who asks before a handoff is who hands off. An agent that can neither do this nor the calls before it has taken
    # over, and a filter has left nothing of the turn. Each alone happens: a handoff may be enabled by a call, and a
    # script may call a tool that there is not.
    ahead = script.handoff_after(place)
    if ahead is not None and isinstance(step, Calls) and _tool_to(ahead.agent, handoffs) is None:
        known = {tool.name for tool in tools} | {handoff.tool_name for handoff in handoffs}
        unknown = [call.tool for call in step.calls if call.tool not in known]
        if unknown:
            raise LostPlaceError(
                position=str(place),
                reason=f"the agent that asks has neither the tool {unknown[0]}, which the script calls there, nor the "
                f"handoff to {ahead.agent} that comes after it",
            )
    return step


def _tool_to(agent: str, handoffs: Sequence[Handoff[Any, Any]]) -> str | None:
    return next((handoff.tool_name for handoff in handoffs if handoff.agent_name == agent), None)
