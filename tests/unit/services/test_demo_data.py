"""Demo data is the same every time, and says that it is made up."""

import pytest

from durable_loop.errors import ToolInputError
from durable_loop.services.finance.messages import StockPrice
from durable_loop.services.finance.prices import DemoStockPrices
from durable_loop.services.it.metrics import DemoJiraMetrics


async def test_a_demo_price_is_labelled() -> None:
    """AAPL costs $185.50 (seed)."""
    assert await DemoStockPrices().price("AAPL") == StockPrice(ticker="AAPL", price=185.50, source="demo")


async def test_an_unknown_ticker_is_answered_with_the_known_ones() -> None:
    """A model can pick one of them, or tell the user (spec)."""
    with pytest.raises(ToolInputError) as refusal:
        await DemoStockPrices().price("APPLE INC")

    assert str(refusal.value) == (
        "There is no price for APPLE INC in the demo data, which knows AAPL, AMZN, GOOGL, META, MSFT, NVDA, TSLA."
    )


async def test_demo_metrics_depend_on_nothing_but_the_project() -> None:
    """Two sources agree about a project, and projects differ (spec)."""
    metrics = await DemoJiraMetrics().metrics("DEMO-123")

    assert metrics == await DemoJiraMetrics().metrics("DEMO-123")
    assert metrics.source == "demo"
    assert metrics.open_issues != (await DemoJiraMetrics().metrics("OPS")).open_issues
