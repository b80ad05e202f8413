"""A turn is given to the SDK in stretches of a few model calls each.

With every model call the SDK walks several times through all that its run has said: a run of 300 tool
calls takes half a minute to replay, and a worker that takes a chat over has ten seconds for it
(Temporal's workflow task timeout). In stretches the time grows with the number of calls alone.
"""

from typing import Any, Final

from agents import Agent, ItemHelpers, MaxTurnsExceeded, RunConfig, RunHooks, RunItem, Runner, TResponseInputItem

from durable_loop.chat.messages import Item
from durable_loop.chat.model_input import items_from_json, items_to_json

__all__ = ["run_in_stretches"]

# Starting a run costs about as much as two model calls.
MODEL_CALLS: Final = 10


async def run_in_stretches(
    agent: Agent[Any],
    text: str,
    said: list[Item],
    *,
    max_model_calls: int,
    hooks: RunHooks[Any],
    run_config: RunConfig,
) -> str:
    """Return the agent's answer to `text`; what was said in the turn is put into `said`, stretch by stretch.

    The agent is told nothing of earlier stretches: `run_config` must put `said` in front of the model's input.
    Raises as `Runner.run`.
    """
    new: str | list[TResponseInputItem] = text
    while True:
        calls = min(max_model_calls, MODEL_CALLS)
        try:
            result = await Runner.run(agent, new, max_turns=calls, hooks=hooks, run_config=run_config)
        except MaxTurnsExceeded as error:
            max_model_calls -= calls
            if error.run_data is None or not max_model_calls:
                raise
            said += _plain(error.run_data.input, error.run_data.new_items)
            new = []
        else:
            said += _plain(result.input, result.new_items)
            return str(result.final_output)


def _plain(new: str | list[TResponseInputItem], items: list[RunItem]) -> list[Item]:
    return items_from_json(
        items_to_json([*ItemHelpers.input_to_new_input_list(new), *(item.to_input_item() for item in items)])
    )
