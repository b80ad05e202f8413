"""The weather: demo data that says so, and Open-Meteo."""

from collections.abc import AsyncGenerator

import httpx
import pytest
import respx

from durable_loop.chat.weather import DemoWeather, OpenMeteoWeather
from durable_loop.errors import ToolInputError, ToolUnavailableError

PARIS = {"results": [{"name": "Paris", "latitude": 48.85, "longitude": 2.35}]}

# Read once: it takes as long as all the rest.
CERTIFICATES = httpx.create_ssl_context()


@pytest.fixture(name="live")
async def _live() -> AsyncGenerator[OpenMeteoWeather]:
    async with httpx.AsyncClient(verify=CERTIFICATES) as http:
        yield OpenMeteoWeather(http)


async def test_demo_weather_is_the_same_every_time_and_labelled() -> None:
    """However the city is written. (ours)"""
    weather = await DemoWeather().weather("New York")

    assert weather.text.startswith("The weather in New York: ")
    assert weather.text.endswith("(demo data).")
    assert weather.source == "demo"
    assert (await DemoWeather().weather(" new york ")).temperature_celsius == weather.temperature_celsius


@respx.mock
async def test_live_weather_is_what_open_meteo_says(live: OpenMeteoWeather) -> None:
    """A city is looked up, then its weather. (seed)"""
    respx.get(OpenMeteoWeather.GEOCODING, params={"name": "paris"}).respond(json=PARIS)
    respx.get(OpenMeteoWeather.FORECAST, params={"latitude": "48.85"}).respond(
        json={"current": {"temperature_2m": 21.5, "weather_code": 61}}
    )

    weather = await live.weather("paris")

    assert weather.text == "The weather in Paris: 21.5 °C, light rain."
    assert weather.source == "open-meteo"


@respx.mock
async def test_a_city_that_does_not_exist_is_the_callers_mistake(live: OpenMeteoWeather) -> None:
    """Final: the same name fails again. (ours)"""
    respx.get(OpenMeteoWeather.GEOCODING).respond(json={})

    with pytest.raises(ToolInputError, match="no city called 'Nowhere'"):
        await live.weather("Nowhere")


@respx.mock
@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refusal_is_final(live: OpenMeteoWeather, status: int) -> None:
    """4xx: no retry helps. (ours)"""
    respx.get(OpenMeteoWeather.GEOCODING).respond(status)

    with pytest.raises(ToolInputError, match=str(status)):
        await live.weather("Paris")


@respx.mock
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_service_that_is_busy_or_broken_is_worth_a_retry(live: OpenMeteoWeather, status: int) -> None:
    """Which Temporal makes. (ours)"""
    respx.get(OpenMeteoWeather.GEOCODING).respond(status)

    with pytest.raises(ToolUnavailableError, match=str(status)):
        await live.weather("Paris")


@respx.mock
@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_service_that_does_not_answer_is_worth_a_retry(live: OpenMeteoWeather, error: httpx.HTTPError) -> None:
    """The sentence says so, without the address. (ours)"""
    respx.get(OpenMeteoWeather.GEOCODING).mock(side_effect=error)

    with pytest.raises(ToolUnavailableError, match="cannot be reached"):
        await live.weather("Paris")


@respx.mock
@pytest.mark.parametrize("body", ["<html>", "[]", '{"results": [{"name": "Paris"}]}', ""])
async def test_an_answer_that_cannot_be_read_is_worth_a_retry(live: OpenMeteoWeather, body: str) -> None:
    """A proxy may answer in the service's place. (ours)"""
    respx.get(OpenMeteoWeather.GEOCODING).respond(text=body)

    with pytest.raises(ToolUnavailableError, match="no readable answer"):
        await live.weather("Paris")


@respx.mock
async def test_weather_without_a_name_is_unsettled(live: OpenMeteoWeather) -> None:
    """Codes are added now and then. (ours)"""
    respx.get(OpenMeteoWeather.GEOCODING).respond(json=PARIS)
    respx.get(OpenMeteoWeather.FORECAST).respond(json={"current": {"temperature_2m": -3.0, "weather_code": 1234}})

    assert (await live.weather("Paris")).text == "The weather in Paris: -3 °C, unsettled."


@respx.mock
async def test_a_forecast_that_is_away_is_worth_a_retry(live: OpenMeteoWeather) -> None:
    """The second request as the first. (ours)"""
    respx.get(OpenMeteoWeather.GEOCODING).respond(json=PARIS)
    respx.get(OpenMeteoWeather.FORECAST).respond(503)

    with pytest.raises(ToolUnavailableError, match="503"):
        await live.weather("Paris")
