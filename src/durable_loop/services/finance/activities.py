"""The finance service's work, done outside the workflows."""

from temporalio import activity

from durable_loop import names
from durable_loop.boundary import as_application_error
from durable_loop.errors import ToolError
from durable_loop.services.finance.messages import Roi, RoiRequest, StockPrice, StockPriceRequest
from durable_loop.services.finance.prices import StockPrices
from durable_loop.services.finance.roi import roi

__all__ = ["FinanceActivities"]


class FinanceActivities:
    """The activities of the finance worker, over one source of prices."""

    def __init__(self, prices: StockPrices) -> None:
        self._prices = prices

    @activity.defn(name=names.ACTIVITY_STOCK_PRICE)
    async def stock_price(self, request: StockPriceRequest) -> StockPrice:
        """Look up the price of one share."""
        try:
            return await self._prices.price(request.ticker)
        except ToolError as error:
            raise as_application_error(error) from error

    @activity.defn(name=names.ACTIVITY_ROI)
    async def calculate_roi(self, request: RoiRequest) -> Roi:
        """Work out what an investment grows to."""
        try:
            return roi(request)
        except ToolError as error:
            raise as_application_error(error) from error
