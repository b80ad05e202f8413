"""Where the weather comes from: demo data, or Open-Meteo (https://open-meteo.com, no key)."""

import hashlib
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from durable_loop.chat.tool_messages import Weather
from durable_loop.errors import ToolInputError, ToolUnavailableError

__all__ = ["DemoWeather", "OpenMeteoWeather", "WeatherSource"]


class WeatherSource(Protocol):
    """Anything that knows the weather."""

    async def weather(self, city: str) -> Weather:
        """Return the weather in `city` now.

        Raises:
            ToolInputError: there is no such city.
            ToolUnavailableError: the source is away.
        """
        ...


# WMO weather interpretation codes (WW), as Open-Meteo documents them, in groups.
_CONDITIONS: Final = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "freezing fog",
    51: "light drizzle",
    53: "drizzle",
    55: "heavy drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    80: "light showers",
    81: "showers",
    82: "violent showers",
    95: "thunderstorm",
    96: "thunderstorm with hail",
    99: "thunderstorm with heavy hail",
}
_DEMO_CONDITIONS: Final = ("clear sky", "partly cloudy", "overcast", "light rain", "rain", "snow")


class DemoWeather:
    """Made-up weather, the same for a city every time."""

    async def weather(self, city: str) -> Weather:
        """Return made-up weather; every city exists."""
        seed = hashlib.sha256(city.strip().casefold().encode()).digest()
        temperature = float(seed[0] % 36 - 5)
        conditions = _DEMO_CONDITIONS[seed[1] % len(_DEMO_CONDITIONS)]
        return _report(city.strip(), temperature, conditions, source="demo")


class _Place(BaseModel):
    name: str
    latitude: float
    longitude: float


class _Places(BaseModel):
    results: list[_Place] = []


class _Current(BaseModel):
    temperature_2m: float
    weather_code: int


class _Forecast(BaseModel):
    current: _Current


_Answer = TypeVar("_Answer", bound=BaseModel)


class OpenMeteoWeather:
    """Live weather. An answer of 4xx is final; 429, 5xx, noise and silence are worth a retry, which Temporal makes."""

    GEOCODING: Final = "https://geocoding-api.open-meteo.com/v1/search"
    FORECAST: Final = "https://api.open-meteo.com/v1/forecast"

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def weather(self, city: str) -> Weather:
        """Return the weather that Open-Meteo reports now."""
        places = await self._get(self.GEOCODING, {"name": city, "count": 1, "format": "json"}, _Places)
        if not places.results:
            raise ToolInputError(f"There is no city called {city!r}.")
        place = places.results[0]
        where = {"latitude": place.latitude, "longitude": place.longitude}
        forecast = await self._get(self.FORECAST, {**where, "current": "temperature_2m,weather_code"}, _Forecast)
        return _report(
            place.name,
            forecast.current.temperature_2m,
            _CONDITIONS.get(forecast.current.weather_code, "unsettled"),
            source="open-meteo",
        )

    async def _get(self, url: str, params: dict[str, Any], answer: type[_Answer]) -> _Answer:
        try:
            response = await self._http.get(url, params=params)
        except httpx.HTTPError as error:
            raise ToolUnavailableError("The weather service cannot be reached; try again later.") from error
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error:
            raise ToolUnavailableError(f"The weather service answered {response.status_code}; try again later.")
        if response.is_error:
            raise ToolInputError(f"The weather service refused the request ({response.status_code}).")
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise ToolUnavailableError("The weather service gave no readable answer; try again later.") from error


def _report(city: str, temperature: float, conditions: str, *, source: Any) -> Weather:
    label = " (demo data)" if source == "demo" else ""
    return Weather(
        text=f"The weather in {city}: {temperature:g} °C, {conditions}{label}.",
        city=city,
        temperature_celsius=temperature,
        conditions=conditions,
        source=source,
    )
