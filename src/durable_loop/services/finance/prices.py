"""Where stock prices come from. Demo data today; a live source needs only `price`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from durable_loop.errors import ToolInputError
from durable_loop.services.finance.messages import StockPrice

__all__ = ["DemoStockPrices", "StockPrices"]


class StockPrices(Protocol):
    """Anything that knows what a share costs."""

    async def price(self, ticker: str) -> StockPrice:
        """Return the price of `ticker`, an upper-case symbol, and name the source in it.

        Raises:
            ToolInputError: there is no such ticker.
            ToolUnavailableError: the source is away.
        """
        ...


_DEMO_PRICES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "AAPL": 185.50,
        "AMZN": 178.25,
        "GOOGL": 142.80,
        "META": 484.10,
        "MSFT": 415.30,
        "NVDA": 875.40,
        "TSLA": 202.60,
    }
)


class DemoStockPrices:
    """Made-up prices of a handful of shares, the same every time."""

    async def price(self, ticker: str) -> StockPrice:
        """Return the made-up price of `ticker`.

        Raises:
            ToolInputError: the ticker is not among the demo data; the message lists those that are.
        """
        price = _DEMO_PRICES.get(ticker)
        if price is None:
            raise ToolInputError(
                f"There is no price for {ticker} in the demo data, which knows {', '.join(_DEMO_PRICES)}."
            )
        return StockPrice(ticker=ticker, price=price, source="demo")
