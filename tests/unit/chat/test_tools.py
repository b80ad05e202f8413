"""The chat's own tools as its model sees them."""

from typing import Any, cast

import pytest

from durable_loop.chat.messages import ChatPolicy
from durable_loop.chat.tools import local_tools


async def told(tool_name: str, arguments: str) -> str:
    """Call a local tool as the Agents SDK does, with what a model sent."""
    tool = next(tool for tool in local_tools(ChatPolicy()) if tool.name == tool_name)
    # The context is not looked at.
    return str(await tool.on_invoke_tool(cast("Any", None), arguments))


def test_local_tools_are_described_well_enough_for_a_model() -> None:
    """Each tool and each argument has a description, and examples. (ours)"""
    tools = local_tools(ChatPolicy())

    assert [tool.name for tool in tools] == ["calculator", "weather"]
    for tool in tools:
        assert tool.description.endswith(".")
        for argument in tool.params_json_schema["properties"].values():
            assert argument["description"].endswith(".")
            assert argument["examples"]
        assert tool.params_json_schema["additionalProperties"] is False
        assert tool.params_json_schema["required"]


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("calculator", "", "expression: Field required"),
        ("calculator", "{}", "expression: Field required"),
        ("calculator", '{"expression": ""}', "expression: String should have at least 1 character"),
        ("calculator", '{"expression": 7}', "expression: Input should be a valid string"),
        ("calculator", '{"expression": "1", "mode": "x"}', "mode: Extra inputs are not permitted"),
        ("calculator", "[1]", "the arguments: Input should be an object"),
        ("calculator", "null", "the arguments: Input should be an object"),
        ("calculator", '{"expression": "1', "the arguments: Invalid JSON: "),
        ("calculator", '{"expression": "\\ud800"}', "the arguments: Invalid JSON: "),
        ("calculator", "[" * 10_000, "the arguments: Invalid JSON: "),
        ("weather", '{"city": "' + "x" * 101 + '"}', "city: String should have at most 100 characters"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_wrong_arguments_are_told_to_the_model_in_a_sentence(tool: str, arguments: str, problem: str) -> None:
    """Nothing that a model sends fails the turn, and no activity runs. (ours)"""
    assert (await told(tool, arguments)).startswith(f"The arguments of {tool} are wrong: {problem}")


async def test_a_sentence_about_wrong_arguments_stays_short() -> None:
    """Names of arguments are the model's own words. (ours)"""
    many = ", ".join(f'"{"x" * 100}{number}": 1' for number in range(100))

    assert len(await told("calculator", f"{{{many}}}")) < 600
