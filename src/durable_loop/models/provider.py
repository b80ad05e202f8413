"""The models of the real workers: the offline model, or any provider's through LiteLLM.

One call here is one request to the provider. Nothing retries but Temporal: the errors say
whether that makes sense, and cross the activity's boundary as they are.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

from agents import AgentsException, Model, ModelProvider, ModelResponse, ModelSettings, TResponseInputItem
from agents.items import TResponseOutputItem, TResponseStreamEvent
from openai import OpenAIError
from openai.types.responses import ResponseCompletedEvent, ResponseOutputMessage, ResponseOutputText
from temporalio.exceptions import ApplicationError

from durable_loop.boundary import as_application_error
from durable_loop.errors import ModelSetupError, ModelUnavailableError
from durable_loop.models import gateway
from durable_loop.models.failures import describe_failure
from durable_loop.models.naming import ModelChoice, check_key, find_key, resolve_model
from durable_loop.models.offline import OfflineModel

__all__ = ["DurableModelProvider", "LiteLLMModel"]


class DurableModelProvider(ModelProvider):
    """Finds the model that a chat was started with. Keys and base URLs come from `environ`."""

    def __init__(self, *, timeout: timedelta, environ: Mapping[str, str] = os.environ) -> None:
        self._timeout = timeout
        self._environ = environ

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that `model_name` resolves to; no name is the offline model.

        Raises:
            ApplicationError: final, of type `ModelSetupError`: an unknown name, or this worker has no key for it.
        """
        try:
            choice = resolve_model(model_name)
        except ModelSetupError as error:
            raise as_application_error(error) from error
        try:
            check_key(choice, self._environ)
        except ModelSetupError as error:
            told = ModelSetupError(f"{error} A worker knows what was set when it was started.")
            raise as_application_error(told) from error
        if choice.offline:
            return OfflineModel()
        return LiteLLMModel(choice, timeout=self._timeout, environ=self._environ)

    async def warm_up(self, model_name: str | None) -> None:
        """Do the slow part of the first call of `model_name` (importing LiteLLM) now."""
        if not resolve_model(model_name).offline:
            await gateway.warm_up()

    async def aclose(self) -> None:
        """Close the HTTP clients of this process."""
        await gateway.close_clients()


class LiteLLMModel(Model):
    """One provider's model. Fails only with `ApplicationError`s made from `ModelError` or `ModelSetupError`."""

    def __init__(self, choice: ModelChoice, *, timeout: timedelta, environ: Mapping[str, str]) -> None:
        self._choice = choice
        self._timeout = timeout
        self._environ = environ

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        """Ask once.

        Raises:
            ApplicationError: of type `ModelRefusedError` (final), `ModelUnavailableError` (worth a retry, after the
                time that the provider asked for) or `ModelSetupError` (final).
        """
        model = await self._open()
        settings = self._once(model_settings)
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                response = await model.get_response(system_instructions, input, settings, *args, **kwargs)
        except (OpenAIError, AgentsException, TimeoutError) as error:
            raise self._failure(error) from None
        self._check_not_empty(response.output)
        return response

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's signature
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Ask once and pass on what comes, as it comes; the timeout is between two events.

        Raises:
            ApplicationError: as `get_response`.
        """
        model = await self._open()
        settings = self._once(model_settings)
        try:
            async for event in model.stream_response(system_instructions, input, settings, *args, **kwargs):
                if isinstance(event, ResponseCompletedEvent):
                    self._check_not_empty(event.response.output)
                yield event
        except (OpenAIError, AgentsException, TimeoutError) as error:
            raise self._failure(error) from None

    async def _open(self) -> Model:
        variable = find_key(self._choice, self._environ) if self._choice.provider == "gemini" else None
        try:
            return await gateway.open_model(
                self._choice.name, api_key=self._environ[variable].strip() if variable is not None else None
            )
        except ModelSetupError as error:
            raise as_application_error(error) from error

    def _once(self, model_settings: ModelSettings) -> ModelSettings:
        arguments: dict[str, Any] = {
            "num_retries": 0,  # LiteLLM's own
            "max_retries": 0,  # those of the OpenAI client inside it, two by default
            "timeout": self._timeout.total_seconds(),
            "drop_params": True,  # a setting that a provider does not know is left out instead of failing the call
        }
        return model_settings.resolve(ModelSettings(extra_args=arguments))

    def _failure(self, error: OpenAIError | AgentsException | TimeoutError) -> ApplicationError:
        return as_application_error(describe_failure(error, choice=self._choice, environ=self._environ))

    def _check_not_empty(self, output: list[TResponseOutputItem]) -> None:
        # Worth a retry: another try is a new sample, and the activity's attempts are bounded.
        if not any(_says_something(item) for item in output):
            raise as_application_error(ModelUnavailableError(f"{self._choice.name} answered with nothing."))


def _says_something(item: TResponseOutputItem) -> bool:
    if isinstance(item, ResponseOutputMessage):
        return any(not isinstance(part, ResponseOutputText) or part.text.strip() for part in item.content)
    return item.type != "reasoning"
