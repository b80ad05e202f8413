"""Whatever goes wrong with a call, the model reads one sentence that it can act on."""

from typing import Annotated

import mcp
import pytest
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel, Field, StringConstraints

from durable_loop.errors import ToolUnavailableError
from durable_loop.services.tool_server import ToolServer, reply
from tests.requirements import requirement


class Booking(BaseModel):
    """What the test server books."""

    nights: int


@pytest.fixture
def server() -> ToolServer:
    server = ToolServer("hotel")

    @server.tool()
    async def book(
        nights: Annotated[int, Field(ge=1, description="How many nights, such as 3.")],
        room: Annotated[str, StringConstraints(pattern="^[0-9]+$"), Field(description="The room's number.")] = "1",
    ) -> Annotated[CallToolResult, Booking]:
        if room == "13":
            raise ToolUnavailableError("The room is being painted. Try again later.")
        if room == "0":
            raise ZeroDivisionError("secret of the house")
        return reply(f"Booked for {nights} nights.", Booking(nights=nights))

    return server


async def call(server: ToolServer, tool: str, arguments: dict[str, object]) -> CallToolResult:
    async with mcp.Client(server) as client:
        return await client.call_tool(tool, arguments)


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@requirement("mcp.structured")
async def test_an_answer_is_a_sentence_and_data(server: ToolServer) -> None:
    """Both forms of the same answer, for a reader and for a program (spec)."""
    result = await call(server, "book", {"nights": 2})

    assert text(result) == "Booked for 2 nights."
    assert result.structured_content == {"nights": 2}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "nights is missing (expected: How many nights, such as 3)"),
        (
            {"nights": 0},
            "nights must be greater than or equal to 1, not 0 (expected: How many nights, such as 3)",
        ),
        ({"nights": "two"}, "nights must be a valid integer, not 'two' (expected: How many nights, such as 3)"),
        ({"nights": 1, "room": "B"}, "room does not have the right form, not 'B' (expected: The room's number)"),
        (
            {"room": "x" * 1000},
            (
                "nights is missing (expected: How many nights, such as 3); "
                f"room does not have the right form, not '{'x' * 39}… (expected: The room's number)"
            ),
        ),
    ],
)
@requirement("mcp.wrong-arguments")
async def test_wrong_arguments_are_named_with_what_is_expected(
    server: ToolServer, arguments: dict[str, object], sentence: str
) -> None:
    """No pydantic dump, no type names, no links, and no flood from a flood (spec)."""
    result = await call(server, "book", arguments)

    assert result.is_error
    assert text(result) == f"book was called with wrong arguments: {sentence}."


async def test_a_tool_that_does_not_exist_is_answered_with_those_that_do(server: ToolServer) -> None:
    """A model that misremembers a name finds the right one (spec)."""
    result = await call(server, "cancel", {})

    assert result.is_error
    assert text(result) == "There is no tool 'cancel' here, only book."


async def test_a_failure_that_was_seen_coming_arrives_word_for_word(server: ToolServer) -> None:
    """The tool's own sentence, without a prefix (spec)."""
    result = await call(server, "book", {"nights": 1, "room": "13"})

    assert result.is_error
    assert text(result) == "The room is being painted. Try again later."


@requirement("security.inside")
async def test_a_crash_says_nothing_about_the_inside(server: ToolServer, caplog: pytest.LogCaptureFixture) -> None:
    """The model learns that it failed, the log why (ours)."""
    result = await call(server, "book", {"nights": 1, "room": "0"})

    assert result.is_error
    assert text(result) == "The tool book failed unexpectedly; its log says why."
    assert "secret of the house" in caplog.text
