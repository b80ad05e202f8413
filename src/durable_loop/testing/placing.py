"""Where a model call stands in its script, read from the request alone: no counter, no queue.

The place is how many messages the user sent (those that only a summary stands for included), and how many answers of
the model came after the last of them. A handoff is an answer as any other: the agent that takes over goes on in the
script. A history that it has folded into one message (`nest_handoff_history`) is unfolded first, as the SDK does it.

The fake model writes each call's place into its id. Where an id of the running turn tells another place than the count,
somebody has taken items out of the request, and no place is better than a wrong one. Earlier turns may be cut.
"""

import re
from collections.abc import Sequence
from typing import Any, cast

from agents import TResponseInputItem
from agents.handoffs import HandoffInputData, get_conversation_history_wrappers, nest_handoff_history

from durable_loop.chat.compaction import summarised_turns
from durable_loop.testing.errors import LostPlaceError
from durable_loop.testing.script import Place

__all__ = ["Item", "call_id", "place_of", "unfolded"]

Item = dict[str, Any]


def call_id(place: Place, number: int, *, model: str) -> str:
    """Return the id of one of the calls that are made at a place, by the model of this name."""
    return f"{_prefix(model)}{place.turn}_{place.call}_{number}"


def unfolded(items: Sequence[Item]) -> list[Item]:
    """Return the items with the history in its own items again, where a handoff has folded it."""
    if not any(map(_is_folded, items)):
        return list(items)
    folded = HandoffInputData(
        input_history=cast("tuple[TResponseInputItem, ...]", tuple(items)), pre_handoff_items=(), new_items=()
    )
    # Whoever folds a history again unfolds it first: the mapper is given the items, and leaves them as they are.
    history = nest_handoff_history(folded, history_mapper=lambda transcript: transcript).input_history
    return cast("list[Item]", list(history))


def place_of(items: Sequence[Item], *, model: str) -> Place:
    """Return the place of a request whose items are unfolded, for the model of this name.

    Raises:
        LostPlaceError: the items do not tell it.
    """
    own = re.compile(rf"{re.escape(_prefix(model))}(?P<turn>[0-9]+)_(?P<call>[0-9]+)_[0-9]+")
    summarised = summarised_turns(items)
    turn, answers, in_answer = (summarised - 2 if summarised else -1), 0, False  # the summary counts once in the loop
    called, wrong = set[str](), list[str]()
    for item in items:
        from_user = item.get("role") == "user"
        is_call = item.get("type") == "function_call"
        # What the model said in one go (text, several calls) is one answer.
        from_model = item.get("role") == "assistant" or is_call
        if from_user:
            turn, answers, wrong = turn + 1, 0, []
        elif from_model and not in_answer:
            answers += 1
        in_answer = from_model
        made = str(item.get("call_id", ""))
        if (found := own.fullmatch(made)) is None:
            continue
        there, told = Place(max(turn, 0), answers - 1), Place(int(found["turn"]), int(found["call"]))
        if is_call:
            called.add(made)
            if there != told:
                wrong.append(f"it has a call of {told} ({made}) where one of {there} should be")
        elif made not in called:
            wrong.append(f"it has the result of a call of {told} ({made}), and not the call")
    wrong += _without_a_place(items)
    place = Place(turn=max(turn, 0), call=answers)
    if wrong:
        raise LostPlaceError(position=str(place), reason=wrong[0])
    return place


def _without_a_place(items: Sequence[Item]) -> list[str]:
    roles = {item.get("role") for item in items}
    if any(map(_is_folded, items)):
        return ["it has a history folded into one message, which the SDK cannot unfold"]
    if "assistant" in roles and "user" not in roles:
        return ["it has an answer of a model, and no message of the user"]
    return []


def _is_folded(item: Item) -> bool:
    start, _ = get_conversation_history_wrappers()
    content = item.get("content")
    return item.get("role") == "assistant" and isinstance(content, str) and start in content


def _prefix(model: str) -> str:
    return f"call_{model}_" if model else "call_"
