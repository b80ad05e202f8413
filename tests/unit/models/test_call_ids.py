"""Tool calls of a model can be told apart, whatever ids it gives them."""

import pytest
from agents import ModelResponse, Usage
from agents.testing import assistant_message, function_call

from durable_loop.models.call_ids import with_unique_call_ids


@pytest.mark.parametrize(
    ("sent", "said", "ids"),
    [
        (["a", "b"], ["c"], ["a", "b"]),
        (["a", "a", "a"], [], ["a", "a-2", "a-3"]),
        (["a"], ["a", "a", "a-2"], ["a-3"]),
        (["a-2", "a", "a"], [], ["a-2", "a", "a-3"]),
        (["", ""], [], ["call-2", "call-3"]),
        (["x" * 64, "x" * 64], [], ["x" * 64, "x" * 56 + "-2"]),
    ],
    ids=["unique", "in one answer", "used before", "one that is ours already", "none at all", "as long as may be"],
)
def test_an_id_that_was_used_is_made_another(sent: list[str], said: list[str], ids: list[str]) -> None:
    """Those that are unique stay as they are. (ours)"""
    output = [assistant_message("Well."), *(function_call("x", {}, call_id=call_id) for call_id in sent)]
    response = ModelResponse(output=output, usage=Usage(requests=1), response_id="r")
    items = [{"type": "function_call", "call_id": call_id} for call_id in said]

    unique = with_unique_call_ids(response, [{"role": "user", "content": "go"}, *items])

    assert [item.call_id for item in unique.output if item.type == "function_call"] == ids
    assert unique.output[0] == output[0]
    assert (unique.usage.requests, unique.response_id) == (1, "r")
