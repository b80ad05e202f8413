"""The fake model speaks any script as it is written."""

import asyncio
from typing import Any

from agents import ModelResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseFunctionToolCall

from durable_loop.testing import Calls, FakeModel, Script, call, calls, says
from tests.requirements import requirement
from tests.unit.testing.test_fake_model import HELLO, respond


@given(data=st.data())
@settings(deadline=None, derandomize=True, database=None)
@requirement("harness.pure-model")
def test_any_script_is_spoken_in_order_and_any_request_gets_the_same_answer_again(data: st.DataObject) -> None:
    """Driven by a loop that does what agents do, whatever the steps. (ours)"""
    step = st.one_of(
        st.builds(says, st.text(min_size=1, max_size=5)),
        st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3).map(lambda names: calls(*map(call, names))),
    )
    script = Script(*data.draw(st.lists(step, max_size=8)), says("end"))
    model, items, asked = FakeModel(script), [HELLO], list[tuple[list[dict[str, Any]], ModelResponse]]()

    async def talk() -> None:
        for number, scripted in enumerate(script.steps):
            response = await respond(model, *items)
            asked.append((list(items), response))
            items.extend(item.model_dump(exclude_unset=True) for item in response.output)
            if isinstance(scripted, Calls):
                made = [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]
                assert [item.name for item in made] == [one.tool for one in scripted.calls]
                items.extend({"type": "function_call_output", "call_id": item.call_id, "output": "x"} for item in made)
            elif number + 1 < len(script.steps):
                items.append(HELLO)
        for request, response in asked:
            assert (await respond(model, *request)).output == response.output

    asyncio.run(talk())
    model.assert_complete()
