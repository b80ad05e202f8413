"""Workflows that steer by what they are given: for what a redacted history has to leave readable."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import workflow

from durable_loop.testing import DurableAgent

__all__ = ["AGENT", "Order", "OrderWorkflow"]


class Order(BaseModel):
    """What is ordered."""

    model_config = ConfigDict(frozen=True)

    customer: str
    payment: Literal["card", "invoice"]
    card: int = 0
    notes: dict[str, str] = {}


@workflow.defn(name="ParcelWorkflow", sandboxed=False)
class ParcelWorkflow:
    """One parcel."""

    @workflow.run
    async def run(self, address: str) -> str:
        """Return where it went."""
        return f"Sent to {address}"


@workflow.defn(name="OrderWorkflow", sandboxed=False)
class OrderWorkflow:
    """One order: a parcel whose id is made of the order's and of what is in it; paid by card, there is another."""

    @workflow.run
    async def run(self, order: Order) -> str:
        """Return what became of it."""
        own = workflow.info().workflow_id
        sent = await workflow.execute_child_workflow("ParcelWorkflow", order.customer, id=f"{own}/{order.customer}")
        if order.payment == "card":
            await workflow.execute_child_workflow("ParcelWorkflow", "the bank", id=f"{own}-receipt")
        return str(sent)


AGENT = DurableAgent(workflows=[OrderWorkflow, ParcelWorkflow])
