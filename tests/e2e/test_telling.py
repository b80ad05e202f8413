"""A reply can be read while it is made, and leaves nothing of that behind."""

import asyncio
import re

from durable_loop.chat.messages import PartialText
from durable_loop.testing import Environment, RecordedHistory, TestedChat
from tests.e2e.dictation import WORDS, Dictates
from tests.e2e.terminal import Terminal
from tests.e2e.waiting import eventually
from tests.requirements import requirement


async def said_so_far(chat: TestedChat) -> PartialText | None:
    """Return what the running model call said so far."""
    return next((doing.said for doing in await chat.under_way() if doing.said is not None), None)


async def reads(chat: TestedChat, text: str, *, attempt: int = 1) -> None:
    """Wait until just this can be read."""

    async def is_there() -> bool:
        return await said_so_far(chat) == PartialText(attempt=attempt, start=0, text=text)

    await eventually(is_there)


async def dictated(env: Environment, model: Dictates, *, attempts: int = 1) -> RecordedHistory:
    """Have a turn answered word by word, each word read before the next one comes."""
    async with env.agent(model) as agent:
        chat = agent.chat()
        sending = asyncio.create_task(chat.send("Count"))
        for attempt in range(1, attempts):
            await reads(chat, "One", attempt=attempt)
            model.go_on()
        for number in range(1, len(WORDS) + 1):
            await reads(chat, "".join(WORDS[:number]), attempt=attempts)
            model.go_on()
        assert (await sending).text == "One two three."
        return await chat.history()


@requirement("streaming.history")
async def test_a_reply_is_read_word_by_word_and_the_history_knows_nothing_of_it(env: Environment) -> None:
    """Not an event more, not a byte more, than where nobody reads along. (ours)"""
    in_pieces = await dictated(env, Dictates())
    model = Dictates()
    model.go_on_to_the_end()
    async with env.agent(model) as agent:
        chat = agent.chat()
        await chat.send("Count")
        in_one = await chat.history()

    # How many workflow tasks the lists of tools end in is an accident.
    events, same = (
        sorted(kind for kind in history.event_types if "WORKFLOW_TASK" not in kind) for history in (in_pieces, in_one)
    )
    assert events == same
    results = [
        sorted(str(completed["result"]) for completed in history.attributes("activityTaskCompleted"))
        for history in (in_pieces, in_one)
    ]
    assert results[0] == results[1]


@requirement("streaming.attempts")
async def test_what_a_lost_attempt_said_is_replaced(env: Environment) -> None:
    """The text of another attempt is never taken for that of this one. (ours)"""
    history = await dictated(env, Dictates(breaks_off=1), attempts=2)

    assert history.count("EVENT_TYPE_ACTIVITY_TASK_STARTED") == 3  # two lists of tools, and one model call


@requirement("streaming.words")
async def test_the_terminal_shows_each_word_while_the_model_goes_on(env: Environment) -> None:
    """Blocks that are complete stay, the words of the next stand in the line that waits; nothing twice. (ours)"""
    model = Dictates("One.\n\n", "Two", " and\n\n", "three.")
    async with env.agent(model) as agent, Terminal.talking_to(env, agent) as terminal:
        await terminal.shows("You:")
        terminal.say("Count")
        model.go_on()
        await terminal.shows(re.compile(r"^Agent: One\.\n+  Two … \(thinking", re.MULTILINE))
        model.go_on_to_the_end()
        await terminal.shows("three.")

        assert [terminal.text.count(block) for block in ("One.", "Two and", "three.")] == [1, 1, 1]


async def test_a_reply_goes_on_after_its_call_was_lost_in_mid_stream(env: Environment) -> None:
    """The next attempt says the same: nothing of it is there twice. (ours)"""
    model = Dictates("One.\n\n", "Two", " and\n\n", "three.", breaks_off=1)
    async with env.agent(model) as agent, Terminal.talking_to(env, agent) as terminal:
        await terminal.shows("You:")
        terminal.say("Count")
        await terminal.shows("Agent: One.")
        model.go_on_to_the_end()
        await terminal.shows("three.")

        assert [terminal.text.count(block) for block in ("One.", "Two and", "three.")] == [1, 1, 1]
