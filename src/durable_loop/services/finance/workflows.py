"""One workflow per finance call: the durable promise that the call is answered once."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():  # pydantic models: building them again for every run is slow
    from durable_loop import names
    from durable_loop.services.finance.messages import Roi, RoiRequest, StockPrice, StockPriceRequest

__all__ = ["RoiWorkflow", "StockPriceWorkflow"]

ATTEMPT_TIMEOUT: Final = timedelta(seconds=10)
HEARTBEAT_TIMEOUT: Final = timedelta(seconds=5)
RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(seconds=0.5),
    maximum_interval=timedelta(seconds=5),
    maximum_attempts=4,
)


@workflow.defn(name=names.WORKFLOW_STOCK_PRICE)
class StockPriceWorkflow:
    """The price of one share, asked for once."""

    @workflow.run
    async def run(self, request: StockPriceRequest) -> StockPrice:
        """Return the price; an unknown ticker fails the workflow with a `ToolInputError`."""
        return await workflow.execute_activity(
            names.ACTIVITY_STOCK_PRICE,
            request,
            result_type=StockPrice,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RETRIES,
        )


@workflow.defn(name=names.WORKFLOW_ROI)
class RoiWorkflow:
    """The return on one investment, worked out once."""

    @workflow.run
    async def run(self, request: RoiRequest) -> Roi:
        """Return the result; numbers that make no sense fail the workflow with a `ToolInputError`."""
        return await workflow.execute_activity(
            names.ACTIVITY_ROI,
            request,
            result_type=Roi,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RETRIES,
        )
