"""An MCP server that forgets the idempotency key: `tests.crash.careless:forgets_keys` as an interceptor."""

from typing import Any
from uuid import uuid4

from temporalio.client import Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle

__all__ = ["FORGETS_KEYS", "forgets_keys"]

FORGETS_KEYS = f"{__name__}:forgets_keys"


def forgets_keys() -> Interceptor:
    """Give every workflow that is started an id of its own, the retry of a call too."""
    return _ForgetsKeys()


class _ForgetsKeys(Interceptor):
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's signature
        return _StartsAnew(next)


class _StartsAnew(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's signature
        if not input.start_signal:  # the IT session keeps its name, and is not what is tested
            input.id += f"-{uuid4().hex}"
        return await super().start_workflow(input)
