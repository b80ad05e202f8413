"""What crosses the finance service's boundaries, in and out."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Roi", "RoiRequest", "StockPrice", "StockPriceRequest"]


class StockPriceRequest(BaseModel):
    """Which price is asked for."""

    model_config = ConfigDict(frozen=True)

    ticker: str


class StockPrice(BaseModel):
    """The price of one share."""

    model_config = ConfigDict(frozen=True)

    ticker: str = Field(description="The ticker symbol that was asked for.")
    price: float = Field(description="The price of one share.")
    currency: Literal["USD"] = Field(default="USD", description="The currency of the price.")
    source: str = Field(description='Where the price comes from; "demo" means made up.')


class RoiRequest(BaseModel):
    """Which investment is asked about."""

    model_config = ConfigDict(frozen=True)

    principal: float
    rate: float
    years: float


class Roi(BaseModel):
    """What an investment grows to when its interest is compounded once a year."""

    model_config = ConfigDict(frozen=True)

    principal: float = Field(description="The amount invested, in dollars.")
    rate: float = Field(description="The interest rate, in percent per year.")
    years: float = Field(description="How long it is invested, in years.")
    final_value: float = Field(description="What the investment is worth at the end, in dollars.")
    gain: float = Field(description="The final value less the principal, in dollars.")
