"""The tests' deterministic model: a pure function of the request. No counter, no queue.

The place in the script is read from the request: how many messages the user sent (those that only a
summary stands for included), and how many model answers came after the last of them.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pydantic_core
from agents import Model, ModelProvider, ModelResponse, TResponseInputItem, Usage
from agents.items import TResponseStreamEvent
from agents.testing import assistant_message, function_call
from temporalio import activity
from temporalio.exceptions import ApplicationError

from durable_loop.chat import transcript
from durable_loop.chat.compaction import SUMMARY_INSTRUCTIONS, summarised_turns
from durable_loop.errors import SettingsError
from durable_loop.testing.errors import UnscriptedModelCallError, UnusedStepsError
from durable_loop.testing.model_calls import CrashPointProvider
from durable_loop.testing.script import Calls, Fails, Place, Says, Script

__all__ = ["SCRIPT_VARIABLE", "FakeModel", "FakeModelProvider", "provider_from_environment"]

# Names the script file for a worker process whose DURABLE_LOOP_MODEL_PROVIDER is
# "durable_loop.testing.fake_model:provider_from_environment".
SCRIPT_VARIABLE = "DURABLE_LOOP_TESTING_SCRIPT"

Item = dict[str, Any]


class FakeModel(Model):
    """Speaks a script. `used_file` collects what was asked for when other processes ask."""

    def __init__(self, script: Script, *, used_file: Path | None = None) -> None:
        self.script = script
        self._used_file = used_file
        self._used: Counter[Place] = Counter()  # the highest attempt at each place

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        *_args: Any,
        **_kwargs: Any,
    ) -> ModelResponse:
        """Return the step that the request stands at.

        Raises:
            UnscriptedModelCallError: there is none (inside an activity: an `ApplicationError` with its text).
        """
        items = _items(input)
        if system_instructions == SUMMARY_INSTRUCTIONS:
            return _response(self.script.summary, call_id="summary")
        place = _place(items)
        attempt = activity.info().attempt if activity.in_activity() else 1
        step = self.script.at(place, attempt=attempt)
        if step is None:
            raise self._unscripted(place, items)
        self._note(place, attempt)
        return _response(step, call_id=f"call_{place.turn}_{place.call}")

    def stream_response(self, *_args: Any, **_kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Not offered: scripts are spoken whole."""
        raise TypeError("The fake model does not stream: use Runner.run.")

    def assert_complete(self) -> None:
        """Pass when every step was asked for.

        Raises:
            UnusedStepsError: names the steps that were not.
        """
        unused = self.script.unused(self._used | self._used_elsewhere())
        if unused:
            raise UnusedStepsError(unused)

    def _note(self, place: Place, attempt: int) -> None:
        self._used |= Counter({place: attempt})
        if self._used_file is not None:
            with self._used_file.open("a") as file:
                file.write(f"{place.turn} {place.call} {attempt}\n")

    def _used_elsewhere(self) -> Counter[Place]:
        used: Counter[Place] = Counter()
        if self._used_file is not None and self._used_file.exists():
            for line in self._used_file.read_text().splitlines():
                turn, call, attempt = (int(number) for number in line.split())
                used |= Counter({Place(turn, call): attempt})
        return used

    def _unscripted(self, place: Place, items: Sequence[Item]) -> Exception:
        said = "\n".join(f"  {line.role}: {line.text}" for line in transcript.lines(items))
        error = UnscriptedModelCallError(position=str(place), transcript=said, nearest=self.script.nearest(place))
        if not activity.in_activity():
            return error
        return ApplicationError(str(error), type=type(error).__name__, non_retryable=True)


class FakeModelProvider(ModelProvider):
    """Gives the same fake model for every name."""

    def __init__(self, model: FakeModel) -> None:
        self._model = model

    def get_model(self, model_name: str | None) -> Model:  # noqa: ARG002 - the SDK's signature
        """Return the fake model."""
        return self._model


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


def _response(step: Says | Calls | Fails, *, call_id: str) -> ModelResponse:
    match step:
        case Says(text=text):
            output = [assistant_message(text)]
        case Calls(calls=calls):
            output = [
                function_call(call.tool, dict(call.arguments), call_id=f"{call_id}_{number}")
                for number, call in enumerate(calls)
            ]
        case Fails(message=message, retryable=retryable):
            raise ApplicationError(message, type="ScriptedFailure", non_retryable=not retryable)
    return ModelResponse(output=list(output), usage=Usage(), response_id=None)


def _items(model_input: str | list[TResponseInputItem]) -> list[Item]:
    if isinstance(model_input, str):
        return [{"role": "user", "content": model_input}]
    return cast("list[Item]", pydantic_core.to_jsonable_python(model_input))


def _place(items: Sequence[Item]) -> Place:
    """Read the place from the request. What the model said in one go (text, several calls) is one answer."""
    summarised = summarised_turns(items)
    turn, answers, in_answer = (summarised - 2 if summarised else -1), 0, False  # the summary counts once in the loop
    for item in items:
        from_user = item.get("role") == "user"
        from_model = item.get("role") == "assistant" or item.get("type") == "function_call"
        if from_user:
            turn, answers = turn + 1, 0
        elif from_model and not in_answer:
            answers += 1
        in_answer = from_model
    return Place(turn=max(turn, 0), call=answers)
