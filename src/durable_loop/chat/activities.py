"""The local tools, as activities of the orchestrator worker."""

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity

from durable_loop import names
from durable_loop.boundary import as_application_error
from durable_loop.chat.arithmetic import evaluate
from durable_loop.chat.tool_messages import Calculation, CalculatorInput, Weather, WeatherInput
from durable_loop.chat.weather import WeatherSource
from durable_loop.errors import ToolError

__all__ = ["local_activities"]


@activity.defn(name=names.ACTIVITY_CALCULATOR)
async def calculator(request: CalculatorInput) -> Calculation:
    """Evaluate an arithmetic expression."""
    try:
        return evaluate(request.expression)
    except ToolError as error:
        raise as_application_error(error) from error


class WeatherActivity:
    """The weather tool over one source of weather."""

    def __init__(self, source: WeatherSource) -> None:
        self._source = source

    @activity.defn(name=names.ACTIVITY_WEATHER)
    async def weather(self, request: WeatherInput) -> Weather:
        """Get the weather in a city now."""
        try:
            return await self._source.weather(request.city)
        except ToolError as error:
            raise as_application_error(error) from error


def local_activities(weather: WeatherSource) -> Sequence[Callable[..., Any]]:
    """Return the activities that the orchestrator worker runs for the chat's local tools."""
    return [calculator, WeatherActivity(weather).weather]
