from dataclasses import dataclass

from temporalio import activity


@dataclass
class Rate:
    source: str
    target: str
    rate: float


@activity.defn
async def exchange_rate(source: str, target: str) -> Rate:
    """Get today's exchange rate between two currencies."""
    return Rate(source=source, target=target, rate=1.25)
