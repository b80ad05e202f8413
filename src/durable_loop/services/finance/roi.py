"""Compound interest, in decimal arithmetic: no float ever touches the money in between."""

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from durable_loop.errors import ToolInputError
from durable_loop.services.finance.messages import Roi, RoiRequest

__all__ = ["MAX_PRINCIPAL", "MAX_RATE", "MAX_YEARS", "MIN_PRINCIPAL", "roi"]

MIN_PRINCIPAL: Final = 0.01
MAX_PRINCIPAL: Final = 1_000_000_000_000
MAX_RATE: Final = 1000
MAX_YEARS: Final = 100

# Past this a float no longer tells one cent from the next.
_MAX_FINAL_VALUE: Final = Decimal(10_000_000_000_000)
_CENT: Final = Decimal("0.01")
_DIGITS: Final = 50


def roi(request: RoiRequest) -> Roi:
    """Return what the investment grows to, to the cent.

    Raises:
        ToolInputError: a number is not finite, negative, or larger than makes sense.
    """
    _check("principal", request.principal, least=MIN_PRINCIPAL, most=MAX_PRINCIPAL)
    _check("rate", request.rate, least=0, most=MAX_RATE)
    _check("years", request.years, least=0, most=MAX_YEARS)
    with localcontext() as context:
        context.prec = _DIGITS
        principal, rate, years = (Decimal(repr(number)) for number in (request.principal, request.rate, request.years))
        grown = principal * (1 + rate / 100) ** years
        if grown > _MAX_FINAL_VALUE:
            raise ToolInputError(
                f"The investment would grow past ${_MAX_FINAL_VALUE:,}, which is more than this tool can count: "
                "use a smaller principal, a lower rate or fewer years."
            )
        return Roi(
            principal=request.principal,
            rate=request.rate,
            years=request.years,
            final_value=_to_the_cent(grown),
            gain=_to_the_cent(grown - principal),
        )


def _to_the_cent(amount: Decimal) -> float:
    return float(amount.quantize(_CENT, rounding=ROUND_HALF_UP))


def _check(name: str, value: float, *, least: float, most: float) -> None:
    if not math.isfinite(value) or not least <= value <= most:
        raise ToolInputError(f"{name} must be a number between {least:g} and {most:,}, not {value:g}.")
