"""The finance MCP server: stateless, each call backed by a workflow of its own."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field, StringConstraints
from temporalio.client import Client

from durable_loop import names
from durable_loop.services.calls import Backing, call_key, key_used_before
from durable_loop.services.finance.messages import Roi, RoiRequest, StockPrice, StockPriceRequest
from durable_loop.services.finance.roi import MAX_PRINCIPAL, MAX_RATE, MAX_YEARS, MIN_PRINCIPAL
from durable_loop.services.finance.workflows import RoiWorkflow, StockPriceWorkflow
from durable_loop.services.tool_server import VERSION, ToolServer, reply

__all__ = ["finance_server"]

_MAX_TICKER: Final = 20

Ticker = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=_MAX_TICKER),
    Field(description="The ticker symbol of the share, such as AAPL for Apple.", examples=["AAPL", "MSFT"]),
]
Principal = Annotated[
    float,
    Field(
        ge=MIN_PRINCIPAL,
        le=MAX_PRINCIPAL,
        allow_inf_nan=False,
        description="The amount invested at the start, in dollars, such as 10000.",
        examples=[10000],
    ),
]
Rate = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_RATE,
        allow_inf_nan=False,
        description="The interest rate in percent per year: 5 means 5%, not 0.05.",
        examples=[5, 7.25],
    ),
]
Years = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_YEARS,
        allow_inf_nan=False,
        description="How many years the money stays invested, such as 10; parts of a year are allowed.",
        examples=[10, 2.5],
    ),
]


def finance_server(client: Client, *, backing_timeout: timedelta) -> MCPServer:
    """Return the server, over a client of the finance namespace."""
    backing = Backing(client, service="finance", task_queue=names.QUEUE_FINANCE, timeout=backing_timeout)
    server = ToolServer(
        names.MCP_FINANCE,
        version=VERSION,
        title="Finance",
        instructions="Stock prices and investment returns. Each call stands alone.",
    )

    @server.tool(
        title="Stock price",
        annotations=ToolAnnotations(
            title="Stock price",
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=True,
        ),
    )
    async def stock_price(ticker: Ticker, context: Context) -> Annotated[CallToolResult, StockPrice]:
        """Get the current price of one share of a listed company, in US dollars, by its ticker symbol."""
        price = await backing.run_once(
            StockPriceWorkflow.run,
            StockPriceRequest(ticker=ticker),
            workflow_id=names.ID_STOCK_PRICE + call_key(context),
        )
        if price.ticker != ticker:
            raise key_used_before()
        return reply(_price_sentence(price), price)

    @server.tool(
        title="Return on investment",
        annotations=ToolAnnotations(
            title="Return on investment",
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
    async def calculate_roi(
        principal: Principal, rate: Rate, years: Years, context: Context
    ) -> Annotated[CallToolResult, Roi]:
        """Calculate what an investment is worth after some years, with interest compounded once a year."""
        roi = await backing.run_once(
            RoiWorkflow.run,
            RoiRequest(principal=principal, rate=rate, years=years),
            workflow_id=names.ID_ROI + call_key(context),
        )
        if (roi.principal, roi.rate, roi.years) != (principal, rate, years):
            raise key_used_before()
        return reply(_roi_sentence(roi), roi)

    return server


def _price_sentence(price: StockPrice) -> str:
    origin = " (demo data)" if price.source == "demo" else ""
    return f"The current stock price of {price.ticker} is ${price.price:,.2f}{origin}"


def _roi_sentence(roi: Roi) -> str:
    principal = f"{roi.principal:,.0f}" if roi.principal.is_integer() else f"{roi.principal:,.2f}"
    years = f"{_plain(roi.years)} {'year' if roi.years == 1 else 'years'}"
    return f"The ROI for ${principal} invested at {_plain(roi.rate)}% annually over {years} is ${roi.final_value:,.2f}"


def _plain(number: float) -> str:
    return f"{number:.0f}" if number.is_integer() else f"{Decimal(repr(number)):f}"
