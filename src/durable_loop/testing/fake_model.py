"""The tests' deterministic model: a pure function of the request. How it finds its step is said in `placing`."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pydantic_core
from agents import (
    AgentOutputSchemaBase,
    Handoff,
    Model,
    ModelProvider,
    ModelResponse,
    ModelSettings,
    Tool,
    TResponseInputItem,
    Usage,
)
from agents.items import TResponseStreamEvent
from agents.testing import assistant_message, function_call
from openai.types.responses import ResponseFunctionToolCall, ResponseTextDoneEvent
from temporalio import activity
from temporalio.exceptions import ApplicationError

from durable_loop.chat.compaction import SUMMARY_INSTRUCTIONS
from durable_loop.errors import SettingsError
from durable_loop.models.offline.streaming import events_of, words_of
from durable_loop.testing.errors import HarnessError, UnscriptedModelCallError, UnusedStepsError
from durable_loop.testing.handoffs import as_offered
from durable_loop.testing.model_calls import CrashPointProvider
from durable_loop.testing.placing import Item, call_id, place_of, unfolded
from durable_loop.testing.said import said
from durable_loop.testing.script import Place, Script
from durable_loop.testing.steps import Call, Calls, Delays, Fails, Floods, HandsOff, Loops, Says, Step

__all__ = ["SCRIPT_VARIABLE", "FakeModel", "FakeModelProvider", "provider_from_environment"]

# Names the script file for a worker process whose DURABLE_LOOP_MODEL_PROVIDER is
# "durable_loop.testing.fake_model:provider_from_environment".
SCRIPT_VARIABLE = "DURABLE_LOOP_TESTING_SCRIPT"


class FakeModel(Model):
    """A model that speaks a script. `used_file` collects what was asked for when other processes ask.

    `name` is the one of a script within a script (`Script.models`).

    Raises:
        TypeError: `script` is no Script.
    """

    def __init__(self, script: Script, *, used_file: Path | None = None, name: str = "") -> None:
        if not isinstance(script, Script):  # pyright: ignore[reportUnnecessaryIsInstance] - of a test without types
            raise TypeError(f"A model speaks a Script, and this is {script!r}: write Script(says(…), …).")
        self.script = script
        self.name = name
        self._used_file = used_file
        self._used: Counter[Place] = Counter()  # the highest attempt at each place
        self._asked: defaultdict[Place, set[bytes]] = defaultdict(set)  # what the user said there
        self._named = {
            called: FakeModel(inner, used_file=used_file, name=called) for called, inner in script.models.items()
        }

    def named(self, model_name: str | None) -> "FakeModel":
        """Return the model of this name where the script has one for it, else this one."""
        return self._named.get(model_name or "", self)

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        model_settings: ModelSettings | None = None,  # noqa: ARG002 - the SDK's, as those that follow
        tools: Sequence[Tool] = (),
        output_schema: AgentOutputSchemaBase | None = None,  # noqa: ARG002
        handoffs: Sequence[Handoff[Any, Any]] = (),
        *_args: Any,
        **_kwargs: Any,
    ) -> ModelResponse:
        """Return the step that the request stands at.

        Raises:
            UnscriptedModelCallError: there is none (inside an activity: an `ApplicationError` with its text).
            LostPlaceError: the request does not tell where it stands (inside an activity likewise).
            ApplicationError: the step fails.
        """
        step, place = await self._step(system_instructions, input, tools=tools, handoffs=handoffs)
        if isinstance(step, Fails):
            raise _failure(step)
        return _response(step, self._call_ids(place))

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        model_settings: ModelSettings | None = None,  # noqa: ARG002 - the SDK's, as those that follow
        tools: Sequence[Tool] = (),
        output_schema: AgentOutputSchemaBase | None = None,  # noqa: ARG002
        handoffs: Sequence[Handoff[Any, Any]] = (),
        *_args: Any,
        **_kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Stream the step that the request stands at. Raises as `get_response`, a failing step after its text."""
        step, place = await self._step(system_instructions, input, tools=tools, handoffs=handoffs)
        answer = Says(text=step.after) if isinstance(step, Fails) else step
        pieces = answer.pieces if isinstance(answer, Says) else ()
        response = _response(answer, self._call_ids(place))
        for event in events_of(response, model=self.name or "fake", pieces_of=lambda text: pieces or words_of(text)):
            if isinstance(step, Fails) and (not step.after or isinstance(event, ResponseTextDoneEvent)):
                raise _failure(step)
            yield event
            # Who listens gets it before the next one, as from a model: the SDK drops what a failure overtakes.
            await asyncio.sleep(0)

    def assert_complete(self) -> None:
        """Pass when every step was asked for.

        Raises:
            UnusedStepsError: names the steps that were not.
        """
        if unused := self.unused():
            raise UnusedStepsError(unused, {str(place): len(asked) for place, asked in self._asked.items()})

    def unused(self) -> list[str]:
        """Return the steps that nobody asked for yet, in words."""
        own = self.script.unused(self._used | self._used_elsewhere())
        return [*own, *(f"model {name}, {step}" for name, model in self._named.items() for step in model.unused())]

    async def _step(
        self,
        system_instructions: str | None,
        model_input: str | list[TResponseInputItem],
        *,
        tools: Sequence[Tool],
        handoffs: Sequence[Handoff[Any, Any]],
    ) -> tuple[Step, Place]:
        if system_instructions == SUMMARY_INSTRUCTIONS:
            return self.script.summary, Place(0, 0)
        attempt = activity.info().attempt if activity.in_activity() else 1
        try:
            items = unfolded(_items(model_input))
            place = place_of(items, model=self.name)
            step = as_offered(self._at(place, attempt, items), self.script, place, tools=tools, handoffs=handoffs)
        except HarnessError as error:
            if not activity.in_activity():
                raise
            # The text crosses the boundary; a retry would only hide it.
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error
        self._note(place, attempt)
        self._asked[place].add(pydantic_core.to_json([item for item in items if item.get("role") == "user"][-1:]))
        await asyncio.sleep(self.script.delay(place, attempt=attempt))
        return step, place

    def _at(self, place: Place, attempt: int, items: Sequence[Item]) -> Step:
        step = self.script.at(place, attempt=attempt)
        if step is None:
            lines = "\n".join(f"  {line}" for line in said(items))
            raise UnscriptedModelCallError(position=str(place), transcript=lines, nearest=self.script.nearest(place))
        return step

    def _call_ids(self, place: Place) -> Iterator[str]:
        return (call_id(place, number, model=self.name) for number in count())

    def _note(self, place: Place, attempt: int) -> None:
        self._used |= Counter({place: attempt})
        if self._used_file is not None:
            with self._used_file.open("a") as file:
                file.write(f"{place.turn} {place.call} {attempt} {self.name}\n")

    def _used_elsewhere(self) -> Counter[Place]:
        used: Counter[Place] = Counter()
        if self._used_file is not None and self._used_file.exists():
            for line in self._used_file.read_text().splitlines():
                turn, call, attempt, name = line.split(" ", maxsplit=3)
                if name == self.name:
                    used |= Counter({Place(int(turn), int(call)): int(attempt)})
        return used


class FakeModelProvider(ModelProvider):
    """Gives the same fake model for every name that its script has no model for."""

    def __init__(self, model: FakeModel) -> None:
        self._model = model

    def get_model(self, model_name: str | None) -> Model:
        """Return the fake model."""
        return self._model.named(model_name)


def used_file(script_file: Path) -> Path:
    """Return where the processes that speak a script file note what they used."""
    return script_file.with_suffix(".used")


def provider_from_environment() -> ModelProvider:
    """Make the provider in a worker process; the script is the file that the environment names.

    Raises:
        SettingsError: it names none.
    """
    path = os.environ.get(SCRIPT_VARIABLE)
    if not path:
        raise SettingsError(f"{SCRIPT_VARIABLE} is not set: it names the script file of the fake model.")
    model = FakeModel(Script.read(Path(path)), used_file=used_file(Path(path)))
    return CrashPointProvider(FakeModelProvider(model))


def _response(step: Step, call_ids: Iterator[str]) -> ModelResponse:
    match step:
        case Says(text=text):
            output = [assistant_message(text)]
        case Floods(characters=characters):
            output = [assistant_message("far too much " * (characters // 13) + "." * (characters % 13))]
        case Calls(calls=calls):
            output = [_call(call, next(call_ids)) for call in calls]
        case Loops(call=call):
            output = [_call(call, next(call_ids))]
        case HandsOff() | Fails() | Delays():
            raise RuntimeError(f"{step!r} is no answer")
    return ModelResponse(output=list(output), usage=Usage(), response_id=None)


def _call(call: Call, call_id: str) -> ResponseFunctionToolCall:
    made = cast("ResponseFunctionToolCall", function_call(call.tool, dict(call.arguments), call_id=call_id))
    return made if call.garbled is None else made.model_copy(update={"arguments": call.garbled})


def _failure(step: Fails) -> ApplicationError:
    return ApplicationError(
        step.message,
        type=step.error_type,
        non_retryable=not step.retryable,
        next_retry_delay=timedelta(seconds=step.retry_after) if step.retry_after else None,
    )


def _items(model_input: str | list[TResponseInputItem]) -> list[Item]:
    if isinstance(model_input, str):
        return [{"role": "user", "content": model_input}]
    return cast("list[Item]", pydantic_core.to_jsonable_python(model_input))
