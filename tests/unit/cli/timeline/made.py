"""A history of a chat, made by hand: what no stored one holds."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from durable_loop import names
from durable_loop.chat.compaction import SUMMARY_INSTRUCTIONS
from durable_loop.testing import RecordedHistory
from tests.unit.testing.histories.samples import encoded

__all__ = ["BEGIN", "MadeHistory", "called", "said"]

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def said(text: str, *, tokens: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    """Return what a model call gives that answers."""
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    return {"output": [message], "usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]}}


def called(tool: str, arguments: str = "{}") -> dict[str, Any]:
    """Return what a model call gives that asks for a tool."""
    return {"output": [{"type": "function_call", "call_id": "c", "name": tool, "arguments": arguments}]}


class MadeHistory:
    """Events in order; time passes by `wait` alone."""

    def __init__(self, carried: Mapping[str, Any] | None = None, *, begin: datetime = BEGIN) -> None:
        self.at = begin
        self.events: list[dict[str, Any]] = []
        start = {"model": "gpt-4", "carried": carried or {}}
        self.event(
            "WORKFLOW_EXECUTION_STARTED",
            workflowType={"name": names.WORKFLOW_CHAT},
            originalExecutionRunId="run",
            workflowId="chat-made",
            input=encoded(start),
        )

    def wait(self, seconds: float) -> Self:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)
        return self

    def event(self, kind: str, metadata: Mapping[str, Any] | None = None, **attributes: Any) -> str:
        """Add an event; return its number."""
        first, *rest = kind.lower().split("_")
        key = first + "".join(word.capitalize() for word in rest) + "EventAttributes"
        number = str(len(self.events) + 1)
        event = {"eventId": number, "eventTime": self.at.isoformat(), "eventType": f"EVENT_TYPE_{kind}"}
        self.events.append({**event, **({"userMetadata": metadata} if metadata else {}), key: attributes})
        return number

    def asks(self, turn_id: str, text: str) -> str:
        """Accept a message."""
        request = {"name": names.UPDATE_SEND_MESSAGE, "args": encoded({"turn_id": turn_id, "text": text})}
        return self._accepted(turn_id, request)

    def awaits(self, turn_id: str) -> str:
        """Accept that somebody waits for a turn."""
        return self._accepted("other", {"name": names.UPDATE_AWAIT_TURN, "args": encoded(turn_id)})

    def _accepted(self, update: str, request: Mapping[str, Any]) -> str:
        accepted = {"meta": {"updateId": update}, "input": request}
        return self.event("WORKFLOW_EXECUTION_UPDATE_ACCEPTED", acceptedRequest=accepted)

    def tells(self, accepted: str, outcome: Mapping[str, Any]) -> None:
        """Answer an update."""
        success = {"success": encoded(outcome)}
        self.event("WORKFLOW_EXECUTION_UPDATE_COMPLETED", acceptedEventId=accepted, outcome=success)

    def refuses(self, accepted: str, kind: str, message: str) -> None:
        """Answer an update with an error."""
        failure = {"message": message, "applicationFailureInfo": {"type": kind}}
        self.event("WORKFLOW_EXECUTION_UPDATE_COMPLETED", acceptedEventId=accepted, outcome={"failure": failure})

    def schedules(self, activity: str, asked: Any = None) -> str:
        """Schedule an activity."""
        return self.event(
            "ACTIVITY_TASK_SCHEDULED",
            activityType={"name": activity},
            input=encoded(asked or {}),
            retryPolicy={"maximumAttempts": 6},
        )

    def starts(self, scheduled: str, *, attempt: int = 1, failure: Mapping[str, Any] | None = None) -> None:
        """Let a worker take an activity."""
        more = {"lastFailure": failure} if failure else {}
        self.event("ACTIVITY_TASK_STARTED", scheduledEventId=scheduled, attempt=attempt, **more)

    def gives(self, scheduled: str, result: Any) -> None:
        """Complete an activity."""
        self.event("ACTIVITY_TASK_COMPLETED", scheduledEventId=scheduled, result=encoded(result))

    def fails(self, scheduled: str, failure: Mapping[str, Any], *, kind: str = "FAILED") -> None:
        """Fail an activity."""
        self.event(f"ACTIVITY_TASK_{kind}", scheduledEventId=scheduled, failure=failure)

    def model(self, result: Mapping[str, Any], *, seconds: float = 1, summary: bool = False) -> None:
        """Call the model."""
        instructions = SUMMARY_INSTRUCTIONS if summary else "You are an agent."
        call = self.schedules("invoke_model_activity", {"model_name": "gpt-4", "system_instructions": instructions})
        self.starts(call)
        self.wait(seconds)
        self.gives(call, result)

    def question(self, timer: str, tool: str) -> None:
        """Ask the user."""
        summary = encoded(f"until {tool} may no longer be approved")["payloads"][0]
        self.event("TIMER_STARTED", {"summary": summary}, timerId=timer)

    def signal(self, name: str, value: Any = None) -> None:
        """Signal the chat."""
        self.event("WORKFLOW_EXECUTION_SIGNALED", signalName=name, input=encoded(value))

    def history(self) -> RecordedHistory:
        """Return it."""
        return RecordedHistory("chat-made", {"events": self.events})
