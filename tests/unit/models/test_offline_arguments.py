"""Tools that the offline model has never seen: their arguments come from their schemas and the user's words."""

from typing import Any

import pytest
from agents import function_tool

from tests.requirements import requirement
from tests.unit.models.helpers import BOOK_ROOM, SEED_TOOLS, TRANSLATE, Call, calls_of, respond, text_of, tool

UNSEEN = (*SEED_TOOLS, BOOK_ROOM, TRANSLATE)

REQUESTS: list[tuple[str, Call]] = [
    ("Book the room Blue for 3 hours", ("book_room", {"room": "Blue", "hours": 3})),
    ("Reserve Apollo for two hours", ("book_room", {"room": "Apollo", "hours": 2})),
    ("book room 12 for 4 hours", ("book_room", {"room": "12", "hours": 4})),
    ("I need the Saturn room for 1 hour, please book it", ("book_room", {"room": "Saturn", "hours": 1})),
    ("translate good morning to German", ("translate", {"text": "good morning", "language": "German"})),
    (
        "Translate 'good morning and good night' into french",
        ("translate", {"text": "good morning and good night", "language": "French"}),
    ),
]


@pytest.mark.parametrize(("message", "call"), REQUESTS, ids=[row[0] for row in REQUESTS])
@requirement("models.offline-unseen-tools")
async def test_an_unseen_tool_works_by_its_name_description_and_schema(message: str, call: Call) -> None:
    """Nothing in the model knows these tools. (ours)"""
    assert calls_of(await respond(message, UNSEEN)) == [call]


def _only(parameter: str, schema: dict[str, Any]) -> Any:
    return tool("adjust_lamp", "Adjust the lamp.", {parameter: schema})


VALUES: list[tuple[str, str, dict[str, Any], Any]] = [
    ("adjust the lamp to 5", "level", {"type": "integer"}, 5),
    ("adjust the lamp to 5.5", "level", {"type": "number"}, 5.5),
    ("adjust the lamp to 40%", "share", {"type": "number", "description": "As a fraction, 0.4 for 40%."}, 0.4),
    ("adjust the lamp with dimming", "dimming", {"type": "boolean"}, True),
    ("adjust the lamp without dimming", "dimming", {"type": "boolean"}, False),
    ("adjust the lamp to warm white", "color", {"enum": ["cold_white", "warm_white"]}, "warm_white"),
    ("adjust lamp ab-77", "serial", {"type": "string", "pattern": r"^[A-Z]{2}-\d+$"}, "AB-77"),
    ('adjust the lamp named "over the desk"', "which", {"type": "string"}, "over the desk"),
    ("adjust lamps 3, 4 and 5", "numbers", {"type": "array", "items": {"type": "integer"}}, [3, 4, 5]),
    ("adjust the lamp to level 7", "level", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, 7),
]


@pytest.mark.parametrize(("message", "parameter", "schema", "value"), VALUES, ids=[row[0] for row in VALUES])
async def test_a_value_has_the_type_that_the_schema_wants(
    message: str, parameter: str, schema: dict[str, Any], value: Any
) -> None:
    """Integers, numbers, fractions, switches, choices, patterns, quotations and lists. (spec)"""
    assert calls_of(await respond(message, [_only(parameter, schema)])) == [("adjust_lamp", {parameter: value})]


async def test_a_value_of_the_wrong_type_is_asked_for_again() -> None:
    """Half an hour is no integer: the call is not made with something else. (ours)"""
    response = await respond("Book the room Blue for 2.5 hours", UNSEEN)

    assert calls_of(response) == []
    assert text_of(response) == "For “book room” I still need the hours (for how many hours, a whole number)."


async def test_optional_arguments_are_given_only_when_said() -> None:
    """A default stays the tool's business. (spec)"""
    search = tool(
        "search_orders",
        "Search the orders.",
        {
            "customer": {"type": "string", "description": "The customer's name."},
            "limit": {"type": "integer", "default": 10},
        },
        required=["customer"],
    )

    assert calls_of(await respond("search orders for Ada", [search])) == [("search_orders", {"customer": "Ada"})]
    assert calls_of(await respond("search orders for Ada, limit 3", [search])) == [
        ("search_orders", {"customer": "Ada", "limit": 3})
    ]


async def test_a_strict_schema_gets_its_defaults_and_nulls() -> None:
    """Strict mode lists every argument as required; what has a default or may be null is not asked for. (spec)"""

    @function_tool
    def find_parts(part: str, note: str | None = None) -> str:
        """Find parts by name."""
        raise NotImplementedError

    response = await respond("find parts for Rover", [find_parts])

    assert calls_of(response) == [("find_parts", {"part": "Rover", "note": None})]


async def test_a_nested_object_is_filled_as_the_schema_nests_it() -> None:
    """A model behind `$ref` is filled from the same words. (ours)"""
    schema = {
        "request": {"$ref": "#/$defs/Booking"},
    }
    booking = {
        "type": "object",
        "properties": BOOK_ROOM.params_json_schema["properties"],
        "required": ["room", "hours"],
    }
    nested = tool("book_room", "Book a meeting room.", schema, **{"$defs": {"Booking": booking}})

    response = await respond("Book the room Blue for 3 hours", [nested])

    assert calls_of(response) == [("book_room", {"request": {"room": "Blue", "hours": 3}})]


async def test_an_argument_that_no_words_can_give_is_asked_for() -> None:
    """A list of objects is beyond the rules, and is not made up. (ours)"""
    deep = tool("merge_records", "Merge records.", {"records": {"type": "array", "items": {"type": "object"}}})

    response = await respond("merge the records", [deep])

    assert calls_of(response) == []
    assert text_of(response) == "For “merge records” I still need the records."


async def test_numbers_go_to_the_arguments_whose_words_and_units_they_have() -> None:
    """Whatever the order, money is money and years are years. (spec)"""
    for message in (
        "ROI over 10 years for 10,000 dollars at 5 percent",
        "ROI at a rate of 5, years 10, principal 10000",
        "At 5%, what is the ROI on $10k for ten years",
    ):
        assert calls_of(await respond(message)) == [("calculate_roi", {"principal": 10000, "rate": 5, "years": 10})]


async def test_another_measure_is_not_taken_for_the_one_asked_for() -> None:
    """Six months are not six years. (ours)"""
    response = await respond("Calculate the ROI for $10000 at 5% for 6 months")

    assert calls_of(response) == []
    assert "the years" in text_of(response)
