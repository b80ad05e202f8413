"""An agent that is not durable: what it answers depends on how often its tool was tried."""

from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def attempts() -> int:
    """Return the attempt."""
    return activity.info().attempt


@workflow.defn
class Careless:
    """Runs one activity."""

    @workflow.run
    async def run(self) -> int:
        """Return its attempt."""
        return await workflow.execute_activity(attempts, start_to_close_timeout=timedelta(seconds=3))
