"""Other versions of the services' workflows, for replays that must fail."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():  # as the workflows themselves
    from durable_loop import names
    from durable_loop.services.finance.messages import Roi, RoiRequest, StockPrice, StockPriceRequest
    from durable_loop.services.finance.workflows import RoiWorkflow, StockPriceWorkflow
    from durable_loop.services.it.messages import ItSessionState, JiraMetricsRequest, ProjectMetrics
    from durable_loop.services.it.workflows import ItSessionWorkflow, JiraMetricsWorkflow

__all__ = ["CHANGED_SERVICES"]

PAUSE = timedelta(seconds=1)


@workflow.defn(name=names.WORKFLOW_STOCK_PRICE)
class LateStockPriceWorkflow(StockPriceWorkflow):
    """The price, but after a pause."""

    @workflow.run
    async def run(self, request: StockPriceRequest) -> StockPrice:
        """Wait, then ask."""
        await workflow.sleep(PAUSE)
        return await super().run(request)


@workflow.defn(name=names.WORKFLOW_ROI)
class TwiceRoiWorkflow(RoiWorkflow):
    """The return on an investment, but worked out twice."""

    @workflow.run
    async def run(self, request: RoiRequest) -> Roi:
        """Ask, then ask again."""
        await super().run(request)
        return await super().run(request)


@workflow.defn(name=names.WORKFLOW_JIRA_METRICS)
class GuessedJiraMetricsWorkflow(JiraMetricsWorkflow):
    """The metrics, but made up without looking."""

    @workflow.run
    async def run(self, request: JiraMetricsRequest) -> ProjectMetrics:
        """Make them up."""
        return ProjectMetrics.model_construct(project=request.project)


@workflow.defn(name=names.WORKFLOW_IT_SESSION)
class ShortItSessionWorkflow(ItSessionWorkflow):
    """The session, but it ends after a day."""

    @workflow.init
    def __init__(self, carried: ItSessionState) -> None:
        super().__init__(carried)

    @workflow.run
    async def run(self, carried: ItSessionState) -> None:  # noqa: ARG002 - taken by __init__
        """Wait for the day to end."""
        await workflow.sleep(timedelta(days=1))


CHANGED_SERVICES = (LateStockPriceWorkflow, TwiceRoiWorkflow, GuessedJiraMetricsWorkflow, ShortItSessionWorkflow)
