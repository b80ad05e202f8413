"""What goes into the local tools and what comes out, described for a model to use."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Calculation", "CalculatorInput", "ToolResult", "Weather", "WeatherInput"]


class CalculatorInput(BaseModel):
    """One arithmetic expression."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expression: Annotated[
        str,
        Field(
            description=(
                "The expression, in usual notation: + - * / // % **, parentheses, "
                "and abs, round, min, max, sqrt, log, exp, sin, cos, tan, pi, e."
            ),
            min_length=1,
            examples=["15 * 23", "(2 + 3) ** 2", "sqrt(2) / 2"],
        ),
    ]


class WeatherInput(BaseModel):
    """A place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    city: Annotated[
        str,
        Field(
            description="The city, with its country where the name is not unique.",
            min_length=1,
            max_length=100,
            examples=["New York", "Paris, France"],
        ),
    ]


class ToolResult(BaseModel):
    """What a tool gives back; `text` is the sentence that the model reads."""

    model_config = ConfigDict(frozen=True)

    text: str


class Calculation(ToolResult):
    """An evaluated expression."""

    expression: str
    result: float | int


class Weather(ToolResult):
    """The weather in a city now."""

    city: str
    temperature_celsius: float
    conditions: str
    source: Literal["demo", "open-meteo"]
