"""What a worker cannot finish before it stops is tried again elsewhere at once, not after the pause of a failure."""

import asyncio
from datetime import timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

__all__ = ["HandoverInterceptor"]

# Zero would mean: as long as after a failure.
AT_ONCE: Final = timedelta(milliseconds=1)


class HandoverInterceptor(Interceptor):
    """Fails an activity that its worker's shutdown breaks off in a way that has it retried at once."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's signature
        """Wrap the activity."""
        return _Handover(next)


class _Handover(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's signature
        try:
            return await super().execute_activity(input)
        except asyncio.CancelledError as error:
            details = activity.cancellation_details()
            if details is None or not details.worker_shutdown:
                raise
            raise ApplicationError("The worker was stopped", next_retry_delay=AT_ONCE) from error
