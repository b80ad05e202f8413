"""One effect per tool call: not two when it is slow, not one when a model repeats the id of a call."""

import asyncio
from datetime import timedelta
from typing import Any

from agents.testing import assistant_message

from durable_loop.testing import Environment, Script, TestedChat, call, calls, says
from tests.e2e.answering import AnsweringModel
from tests.e2e.effects import effects
from tests.e2e.hostile import Poisoner, called
from tests.e2e.waiting import eventually
from tests.requirements import requirement


@requirement("durability.one-effect")
async def test_a_tool_that_is_slower_than_its_caller_has_one_effect() -> None:
    """The calls time out and are made again; what stands behind them runs once. (ours)"""
    script = Script(calls(call("stock_price", ticker="AAPL"), call("track_ip")), says("Done."))

    async with (
        Environment.start(service_workers=False) as slow,
        slow.agent(script, tool_timeout=timedelta(seconds=4), first_retry_after=timedelta(seconds=0.1)) as agent,
    ):
        chat = agent.chat()
        sending = asyncio.create_task(chat.send("go"))
        await eventually(lambda: are_made_again(chat, {"finance tool call", "it tool call"}))
        async with await slow.finance_worker(), await slow.it_worker():
            assert (await sending).text == "Done."

            assert "185.50" in str(await chat.handle.fetch_history())
            assert await effects(slow.client, chat.chat_id) == (1, 1)


@requirement("durability.one-effect")
async def test_a_model_that_repeats_the_id_of_a_call_has_each_call_made(env: Environment) -> None:
    """In another turn it is another call: two effects, none is dropped. (ours)"""
    repeats = Poisoner(called("stock_price", '{"ticker": "AAPL"}', "the-id"), called("track_ip", "{}", "the-other"))

    async with env.agent(repeats) as agent:
        chat = agent.chat()
        for message in ("first", "second"):
            assert "185.50" in (await chat.send(message)).text

        assert await effects(env.client, chat.chat_id) == (2, 2)


@requirement("durability.one-effect")
async def test_one_id_for_all_calls_of_a_turn_has_each_call_made(env: Environment) -> None:
    """In one answer and from answer to answer, over the stretches that a long turn is run in. (ours)"""
    answers = 12  # a stretch has ten

    async with env.agent(OneId(answers)) as agent:
        chat = agent.chat()
        reply = await chat.send("go")

        assert reply.text == f"{2 * answers} results"
        assert await effects(env.client, chat.chat_id) == (answers, answers)


class OneId(AnsweringModel):
    """Calls two tools so many times, all with one id, and says how many results it was given."""

    def __init__(self, answers: int) -> None:
        self._answers = answers

    async def answer(self, instructions: str, items: list[Any]) -> list[Any]:  # noqa: ARG002 - the same for all
        """Answer."""
        results = sum(item.get("type") == "function_call_output" for item in items)
        if results == 2 * self._answers:
            return [assistant_message(f"{results} results")]
        return [called("stock_price", '{"ticker": "AAPL"}', "the-id"), called("track_ip", "{}", "the-id")]


async def are_made_again(chat: TestedChat, these: set[str]) -> bool:
    """Whether these are under way for the second time."""
    return {doing.what for doing in await chat.under_way() if doing.attempt > 1} == these
