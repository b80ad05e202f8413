"""What the finance worker runs, on `names.QUEUE_FINANCE` in `names.NAMESPACE_FINANCE`."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from durable_loop.services.finance.activities import FinanceActivities
from durable_loop.services.finance.prices import DemoStockPrices, StockPrices
from durable_loop.services.finance.workflows import RoiWorkflow, StockPriceWorkflow

__all__ = ["WORKFLOWS", "activities"]

WORKFLOWS: Final[Sequence[type]] = (StockPriceWorkflow, RoiWorkflow)


def activities(prices: StockPrices | None = None) -> Sequence[Callable[..., Any]]:
    """Return the activities, over `prices` or the demo data."""
    finance = FinanceActivities(prices if prices is not None else DemoStockPrices())
    return (finance.stock_price, finance.calculate_roi)
