"""Compound interest, to the cent, and what is refused."""

import math

import pytest

from durable_loop.errors import ToolInputError
from durable_loop.services.finance.messages import RoiRequest
from durable_loop.services.finance.roi import MAX_PRINCIPAL, MAX_RATE, MAX_YEARS, roi


@pytest.mark.parametrize(
    ("principal", "rate", "years", "final_value", "gain"),
    [
        (10_000, 5, 10, 16_288.95, 6_288.95),
        (10_000, 5, 1, 10_500, 500),
        (10_000, 0, 10, 10_000, 0),
        (10_000, 5, 0, 10_000, 0),
        (1_000, 0.1, 1, 1_001, 1),
        (100, 7.25, 2.5, 119.12, 19.12),
        (0.01, 50, 1, 0.02, 0.01),
        (MAX_PRINCIPAL, 8, 20, 4_660_957_143_849.30, 3_660_957_143_849.30),
        (1, MAX_RATE, 12, 3_138_428_376_721, 3_138_428_376_720),
    ],
)
def test_interest_is_compounded_once_a_year_and_rounded_to_the_cent(
    principal: float, rate: float, years: float, final_value: float, gain: float
) -> None:
    """The first line is the seed's example, the others are its edges (seed)."""
    result = roi(RoiRequest(principal=principal, rate=rate, years=years))

    assert (result.final_value, result.gain) == (final_value, gain)
    assert (result.principal, result.rate, result.years) == (principal, rate, years)


def test_half_a_cent_is_rounded_up() -> None:
    """Money is counted in decimals: as a float, 1.005 is a little less than that (ours)."""
    assert roi(RoiRequest(principal=1, rate=0.5, years=1)).final_value == 1.01


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"principal": -1}, "principal must be a number between 0.01 and 1,000,000,000,000, not -1."),
        ({"principal": 0}, "principal must be a number between 0.01 and 1,000,000,000,000, not 0."),
        ({"principal": 2e12}, "principal must be a number between 0.01 and 1,000,000,000,000, not 2e+12."),
        ({"rate": -5}, "rate must be a number between 0 and 1,000, not -5."),
        ({"rate": 1001}, "rate must be a number between 0 and 1,000, not 1001."),
        ({"rate": math.nan}, "rate must be a number between 0 and 1,000, not nan."),
        ({"years": math.inf}, "years must be a number between 0 and 100, not inf."),
        ({"years": -1}, "years must be a number between 0 and 100, not -1."),
        ({"years": 101}, "years must be a number between 0 and 100, not 101."),
    ],
)
def test_a_number_that_makes_no_sense_is_named_with_its_bounds(numbers: dict[str, float], sentence: str) -> None:
    """Negative, endless and absurd numbers are errors, also for a workflow that was started by hand (spec)."""
    request = RoiRequest.model_validate({"principal": 10_000, "rate": 5, "years": 10} | numbers)

    with pytest.raises(ToolInputError) as refusal:
        roi(request)

    assert str(refusal.value) == sentence


def test_growth_that_cannot_be_counted_to_the_cent_is_refused() -> None:
    """Each number is within its bounds, the result is absurd (spec)."""
    request = RoiRequest(principal=MAX_PRINCIPAL, rate=MAX_RATE, years=MAX_YEARS)

    with pytest.raises(ToolInputError, match=r"would grow past \$10,000,000,000,000"):
        roi(request)
