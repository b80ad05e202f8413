"""What the model of a chat of ours was told then, told again from the events of a history that holds only its hash.

The chat's input is what was carried into the run, and turn by turn the user's message, what the model answered, and
what its tools gave: all of that is in events. What the code itself put in (the note of a failed turn, why a call was
not made) is in none: it is taken from the input of now. The hash says whether the result is what was sent.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from durable_loop import names
from durable_loop.chat.model_input import ModelInputReference, items_to_json
from durable_loop.testing.histories.history import RecordedHistory
from durable_loop.testing.histories.payloads import recorded_values
from durable_loop.testing.histories.sendings import Sending

__all__ = ["retold"]

Item = dict[str, Any]


def retold(history: RecordedHistory, before: Sequence[Sending], now: Sequence[Sending]) -> list[Sending]:
    """Return what was sent before, with the model inputs that are another one now, where they could be told again."""
    texts = [sending.model_input for sending in now if sending.calls_model]
    is_another = {call: text for call, text in enumerate(texts, start=1) if text is not None}
    if not is_another:
        return list(before)
    told = _inputs(history, is_another)  # one for each model call
    return [_with_input(sending, next(told)) if sending.calls_model else sending for sending in before]


def _with_input(sending: Sending, text: str) -> Sending:
    """Return a model call with its input, where the text is the one that it names."""
    reference = ModelInputReference.find(sending.values[0]["input"])
    return replace(sending, model_input=text) if reference is not None and reference.matches(text) else sending


@dataclass
class _Chat:
    """A chat as its events tell it so far."""

    said: list[Item]
    waiting: deque[str] = field(default_factory=deque[str])  # messages of turns that have not begun
    turn: list[Item] | None = None
    calls: list[Item] = field(default_factory=list[Item])  # of the model's last answer
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])  # by the id of a call
    failed: bool = False

    def begin_where_none_runs(self) -> None:
        if self.turn is None and self.waiting:
            self.turn, self.calls, self.outputs, self.failed = [], [], {}, False
            self.turn.append({"content": self.waiting.popleft(), "role": "user"})

    def answered(self, output: Sequence[Item]) -> None:
        """Take the model's answer; without a call it is the turn's last one."""
        if self.turn is None:
            return  # a summary, between turns
        self.turn += output
        self.calls = [item for item in output if item.get("type") == "function_call"]
        if not self.calls:
            self.said += self.turn
            self.turn = None

    def end_failed(self) -> None:
        """Put what the user said and a note in the place of a turn without an answer; None stands for the note."""
        if self.turn is not None:
            message = self.turn[0]["content"]
            self.said += [{"role": "user", "content": message}, {"role": "assistant", "content": None}]
            self.turn = None

    def input(self, now: Sequence[Item]) -> list[Item]:
        """Return what the model is told next; what is in no event is taken from the input of now."""
        by_call = {item["call_id"]: item for item in now if item.get("type") == "function_call_output"}
        if self.turn is not None and self.calls:
            for call in self.calls:
                output = self.outputs.get(call["call_id"], by_call.get(call["call_id"], {}).get("output"))
                self.turn.append({"call_id": call["call_id"], "output": output, "type": "function_call_output"})
            self.calls = []
        told = [*self.said, *(self.turn or [])]
        for place, item in enumerate(told):
            if item.get("content", "") is None and place < len(now):
                item["content"] = now[place].get("content")
        return told


def _inputs(history: RecordedHistory, now: Mapping[int, str]) -> Iterator[str]:
    (start,) = history.attributes("workflowExecutionStarted")
    begun = cast("dict[str, dict[str, list[Item]]]", recorded_values(start["input"])[0])
    chat = _Chat(said=list(begun.get("carried", {}).get("transcript", [])))
    known: set[str] = set()
    running: dict[str, Mapping[str, Any]] = {}  # activities by the number of the event that scheduled them
    call = 0
    for event in history.events:
        if accepted := event.get("workflowExecutionUpdateAcceptedEventAttributes"):
            request = accepted["acceptedRequest"]["input"]
            turn = recorded_values(request.get("args"))[0] if request["name"] == names.UPDATE_SEND_MESSAGE else None
            if turn is not None and turn["turn_id"] not in known:
                known.add(turn["turn_id"])
                chat.waiting.append(turn["text"])
        elif scheduled := event.get("activityTaskScheduledEventAttributes"):
            running[event["eventId"]] = scheduled
            if scheduled["activityType"]["name"] in names.ACTIVITIES_MODEL_CALL:
                call += 1
                if chat.failed:
                    chat.end_failed()
                chat.begin_where_none_runs()
                items = cast("list[Item]", json.loads(now[call])) if call in now else []
                yield items_to_json(chat.input(items))
        elif completed := event.get("activityTaskCompletedEventAttributes"):
            _take(chat, running[completed["scheduledEventId"]], recorded_values(completed.get("result")))
        elif failed := event.get("activityTaskFailedEventAttributes"):
            scheduled = running[failed["scheduledEventId"]]
            chat.failed |= scheduled["activityType"]["name"] in names.ACTIVITIES_MODEL_CALL
        elif ended := event.get("workflowExecutionUpdateCompletedEventAttributes"):
            chat.failed |= "failure" in ended["outcome"]


def _take(chat: _Chat, scheduled: Mapping[str, Any], result: Sequence[Any]) -> None:
    """Take what an activity gave: an answer of the model, or the output of the first call that it may belong to."""
    kind = scheduled["activityType"]["name"]
    (given,) = result
    if kind in names.ACTIVITIES_MODEL_CALL:
        chat.answered(given["output"])
        return
    (asked,) = recorded_values(scheduled.get("input"))
    is_mcp = kind.endswith(names.ACTIVITY_ENDS_CALL_TOOL)
    name, arguments = (asked["name"], asked["arguments"]) if is_mcp else (kind, asked)
    for call in chat.calls:
        if call["call_id"] in chat.outputs or call["name"] != name or _arguments(call) != arguments:
            continue
        chat.outputs[call["call_id"]] = (
            [{"type": "input_text", "text": part["text"]} for part in given["content"]] if is_mcp else given["text"]
        )
        return


def _arguments(call: Item) -> Any:
    """Return the arguments of a call; None where a model wrote what is no JSON: no activity came of that."""
    try:
        return json.loads(call["arguments"] or "{}")
    except json.JSONDecodeError:
        return None
