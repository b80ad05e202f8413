"""Conversations with the offline model: several requests, what is missing, what was said before, what it cannot do."""

import pytest

from tests.requirements import requirement
from tests.unit.models.helpers import BOOK_ROOM, TRANSLATE, Call, Talk, calls_of, respond, text_of, user

SEVERAL: list[tuple[str, list[Call]]] = [
    (
        "Calculate 15 * 23 and what's the weather in New York?",
        [("calculator", {"expression": "15 * 23"}), ("weather", {"city": "New York"})],
    ),
    ("stock price of AAPL and MSFT", [("stock_price", {"ticker": "AAPL"}), ("stock_price", {"ticker": "MSFT"})]),
    (
        "How are AAPL, MSFT, and NVDA doing?",
        [("stock_price", {"ticker": ticker}) for ticker in ("AAPL", "MSFT", "NVDA")],
    ),
    (
        "What's the weather in Paris, London and Rome?",
        [("weather", {"city": city}) for city in ("Paris", "London", "Rome")],
    ),
    ("weather in Austin, TX and Boston", [("weather", {"city": city}) for city in ("Austin, TX", "Boston")]),
    (
        "Calculate 15 * 23; weather in Rome. Also the stock price of IBM",
        [
            ("calculator", {"expression": "15 * 23"}),
            ("weather", {"city": "Rome"}),
            ("stock_price", {"ticker": "IBM"}),
        ],
    ),
    ("what is the sum of 12 and 15", [("calculator", {"expression": "12 + 15"})]),
    (
        "divide 100 by 4 and multiply 6 by 7",
        [("calculator", {"expression": "100 / 4"}), ("calculator", {"expression": "6 * 7"})],
    ),
    ("give me jira metrics and ip history", [("get_jira_metrics", {}), ("get_ip_history", {})]),
    ("Thanks! Now calculate 3+4.", [("calculator", {"expression": "3 + 4"})]),
]


@pytest.mark.parametrize(("message", "calls"), SEVERAL, ids=[row[0] for row in SEVERAL])
async def test_several_requests_in_one_message_are_several_calls_in_one_response(
    message: str, calls: list[Call]
) -> None:
    """Requests are told apart, and what belongs together stays together. (spec)"""
    assert calls_of(await respond(message)) == calls


async def test_several_results_are_told_in_the_order_of_the_requests() -> None:
    """Each result says what it is the result of. (spec)"""
    reply = await Talk().say(
        "Calculate 15 * 23 and what's the weather in New York?", "15 * 23 = 345", "It is 22 °C in New York."
    )

    assert reply == "15 * 23 = 345.\nIt is 22 °C in New York."


async def test_a_call_that_changes_something_is_done_before_what_comes_after_it() -> None:
    """The metrics asked for after the project was set are the new project's. (ours)"""
    message = user("Set the JIRA project to DEMO-123 and then get the JIRA metrics")
    first = await respond([message])

    assert calls_of(first) == [("set_jira_project", {"project": "DEMO-123"})]

    talk = Talk()
    reply = await talk.say(str(message["content"]), "✓ JIRA project set to: DEMO-123", "3 open issues in DEMO-123.")

    assert reply == "✓ JIRA project set to: DEMO-123\n3 open issues in DEMO-123."


@requirement("models.offline-unseen-tools")
async def test_what_is_missing_is_asked_for_and_the_answer_completes_the_request() -> None:
    """An argument is never made up; the next message may bring it. (ours)"""
    talk = Talk()

    assert await talk.say("What's the weather?") == (
        "For “weather” I still need the city (the city, with its country where the name is not unique)."
    )
    assert await talk.say("Paris", "It is sunny in Paris.") == "It is sunny in Paris."


async def test_missing_arguments_may_come_one_by_one() -> None:
    """What was said two messages ago is still there. (ours)"""
    talk = Talk()

    assert await talk.say("Calculate the ROI for $10000") == "For “calculate roi” I still need the rate and the years."
    assert "the years" in await talk.say("5%")
    assert await talk.say("10 years", "It is $16,288.95.") == "It is $16,288.95."
    assert _last_call(talk) == '{"principal": 10000, "rate": 5, "years": 10}'


async def test_a_choice_is_offered_in_the_question() -> None:
    """The user learns what there is to choose from, and a bare answer is enough. (ours)"""
    talk = Talk([BOOK_ROOM, TRANSLATE])

    assert await talk.say("translate good morning") == (
        "For “translate” I still need the language (French, German or Spanish)."
    )
    await talk.say("Spanish", "buenos días")
    assert _last_call(talk) == '{"text": "good morning", "language": "Spanish"}'


async def test_another_request_is_not_taken_for_the_answer() -> None:
    """A question that was left open does not swallow what comes next. (ours)"""
    talk = Talk()
    await talk.say("What's the weather?")

    assert await talk.say("Calculate 2 + 3", "5") == "The result is 5."
    assert "I cannot help with that" in await talk.say("sing a song")


async def test_a_follow_up_asks_the_same_of_something_else() -> None:
    """After the weather in Paris, "what about London?" means the weather there. (ours)"""
    talk = Talk()
    await talk.say("What's the weather in Paris?", "Sunny in Paris.")

    await talk.say("what about London?", "Rain in London.")
    assert _last_call(talk) == '{"city": "London"}'

    await talk.say("stock price of AAPL", "$185.50 for AAPL")
    await talk.say("and MSFT?", "$400 for MSFT")
    assert _last_call(talk) == '{"ticker": "MSFT"}'


async def test_a_follow_up_changes_nothing() -> None:
    """A half sentence is not enough to set something. (ours)"""
    talk = Talk()
    await talk.say("Set the JIRA project to DEMO-1", "✓ set")

    assert "I cannot help with that" in await talk.say("what about DEMO-2?")


async def test_it_remembers_what_it_was_told() -> None:
    """Told "my name is Ada", it knows the answer to "what is my name?". (spec)"""
    talk = Talk()

    assert await talk.say("My name is Ada.") == "Nice to meet you, Ada. I will remember your name."
    assert await talk.say("Calculate 15 * 23", "345") == "The result is 345."
    assert await talk.say("What is my name?") == "Your name is Ada."


MEMORIES: list[tuple[list[str], str, str]] = [
    (["my name is Ada", "actually, my name is Grace"], "who am I?", "Your name is Grace."),
    (["I'm Ada"], "do you remember my name?", "Your name is Ada."),
    (["call me ishmael"], "what’s my name", "Your name is ishmael."),  # noqa: RUF001 - what people type
    (["My favourite colour is blue"], "what's my favorite color?", "Your favourite colour is blue."),
    (["I live in Lisbon and my dog is Rex"], "where do I live?", "You live in Lisbon."),
    (["I live in Lisbon and my dog is Rex"], "what is my dog called?", "Your dog is Rex."),
    (["my cat's name is Tom"], "what is my cat's name?", "Your cat's name is Tom."),
    (["remember that the deploy is on Friday"], "when is the deploy?", "You told me: the deploy is on Friday."),
    (["remember my birthday is in May"], "when is my birthday?", "Your birthday is in May."),
    ([], "what is my name?", "You have not told me your name."),
    (["hello"], "where do I live?", "You have not told me that."),
    (["my name is Ada", "I love Python"], "what do you know about me?", "Your name is Ada. You love Python."),
    ([], "what do you remember?", "You have not told me anything about yourself yet."),
    (["hi", "my name is Ada"], "what did I say first?", "The first thing that you said was: “hi”"),
    (["hi", "I love Python"], "what did I just say?", "Before this you said: “I love Python”"),
    ([], "what did I ask?", "You have not said anything before this."),
    (["my name is Ada"] + ["thanks"] * 30, "what is my name?", "Your name is Ada."),
]


@pytest.mark.parametrize(("said", "question", "answer"), MEMORIES, ids=[f"{row[1]} {row[2]}" for row in MEMORIES])
async def test_a_question_about_the_chat_is_answered_from_the_transcript(
    said: list[str], question: str, answer: str
) -> None:
    """The latest word wins, and what was not said is not known. (spec)"""
    talk = Talk()
    for message in said:
        await talk.say(message)

    assert await talk.say(question) == answer


async def test_what_it_remembers_fills_arguments() -> None:
    """The words "where I live" and "my project" point at what was said. (ours)"""
    talk = Talk()
    await talk.say("I live in Lisbon and my project is DEMO-5")

    await talk.say("What's the weather where I live?", "Sunny.")
    assert _last_call(talk) == '{"city": "Lisbon"}'
    await talk.say("set the jira project to my project", "✓ set")
    assert _last_call(talk) == '{"project": "DEMO-5"}'


async def test_what_it_cannot_do_is_said_plainly_with_what_it_can() -> None:
    """The tools are named in words. (spec)"""
    reply = text_of(await respond("Who wrote Hamlet?"))

    assert reply == (
        "I cannot help with that: I am the offline model, which works by rules. I can use these tools: calculator, "
        "weather, stock price, calculate roi, set jira project, get jira metrics, track ip and get ip history."
    )


async def test_the_part_that_it_cannot_do_is_named() -> None:
    """What it can do is done, and the rest is not passed over. (ours)"""
    reply = await Talk().say("Calculate 2+2 and tell me a joke", "2 + 2 = 4")

    assert reply.startswith("2 + 2 = 4.\n")
    assert "I cannot help with “tell me a joke”." in reply


SMALL_TALK = {
    "hi": "Hello! I am the offline model.",
    "Good morning!": "Hello! I am the offline model.",
    "thanks a lot": "You're welcome.",
    "bye": "Goodbye!",
    "How are you today?": "I am fine, thank you.",
    "what can you do?": "I am the offline model: I work by rules, without a key or a network. I can use these tools:",
    "ok": "All right.",
}


@pytest.mark.parametrize(("said", "answer"), SMALL_TALK.items())
async def test_small_talk_gets_a_short_answer_and_no_tool(said: str, answer: str) -> None:
    """Being polite costs no tool call. (spec)"""
    response = await respond(said)

    assert calls_of(response) == []
    assert text_of(response).startswith(answer)


def _last_call(talk: Talk) -> str:
    return next(item["arguments"] for item in reversed(talk.items) if item.get("type") == "function_call")
