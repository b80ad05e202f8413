"""What every tool call shares: its key, and the bounded wait for the workflow behind it."""

import asyncio
import hashlib
import logging
import re
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from mcp.server.mcpserver import Context
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.types import MethodAsyncSingleParam

from durable_loop import names
from durable_loop.errors import ToolError, ToolInputError, ToolUnavailableError

__all__ = ["Backing", "call_key", "caller_chat", "is_missing_workflow", "key_used_before", "safe_id"]

logger = logging.getLogger(__name__)

_Request = TypeVar("_Request")
_Result = TypeVar("_Result")

# Seconds between two tries to connect.
_CONNECT_INTERVAL: Final = 0.2
_HASHED: Final = "sha256-"
_SAFE_ID: Final = re.compile(rf"(?!{_HASHED})[A-Za-z0-9._:/@-]{{1,200}}")


def safe_id(value: str) -> str:
    """Return `value` if it can be part of a workflow id, else a hash of it: never one id for two values."""
    if _SAFE_ID.fullmatch(value):
        return value
    return _HASHED + hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()


def call_key(context: Context) -> str:
    """Return the call's idempotency key, or a new one for a client that sends none.

    Raises:
        ToolInputError: there is a key, but it is not text.
    """
    key = _meta_text(context, names.META_IDEMPOTENCY_KEY)
    return uuid.uuid4().hex if key is None else safe_id(key)


def caller_chat(context: Context) -> str | None:
    """Return the id of the chat that the call comes from, or None for another client.

    Raises:
        ToolInputError: there is an id, but it is not text.
    """
    return _meta_text(context, names.META_CHAT)


def _meta_text(context: Context, name: str) -> str | None:
    meta: Mapping[str, object] = dict(context.request_context.meta or {})
    value = meta.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise ToolInputError(f"The call's _meta holds a {name} that is not a text.")
    return value


def key_used_before() -> ToolInputError:
    """Return the error for a key that came with other arguments before: nothing was done for this call."""
    return ToolInputError(
        "Nothing was done: this call carries the idempotency key of an earlier call with other arguments."
    )


def is_missing_workflow(error: RPCError) -> bool:
    """Tell whether Temporal answered that there is no such workflow (in a namespace that exists)."""
    return error.status is RPCStatusCode.NOT_FOUND and not _is_missing_namespace(error)


def _is_missing_namespace(error: RPCError) -> bool:
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


@dataclass(frozen=True)
class Backing:
    """The Temporal side of one MCP server: an answer, or a sentence, within `timeout`."""

    client: Client
    service: str
    task_queue: str
    timeout: timedelta
    # A client that connects lazily tries it once, without the retries that its later calls have.
    connected: asyncio.Event = field(default_factory=asyncio.Event, compare=False)

    async def run_once(
        self, workflow: MethodAsyncSingleParam[Any, _Request, _Result], request: _Request, *, workflow_id: str
    ) -> _Result:
        """Run `workflow` and return its result; the same id again gives the same result and runs nothing.

        Raises:
            ToolInputError: the workflow refused the request.
            ToolUnavailableError: there was no result in time, or something behind the workflow is away.
        """
        async with self.answering():
            try:
                handle = await self.client.start_workflow(
                    workflow,
                    request,
                    id=workflow_id,
                    task_queue=self.task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                )
            except WorkflowAlreadyStartedError:
                handle = self.client.get_workflow_handle_for(workflow, workflow_id)
            return await handle.result()

    @asynccontextmanager
    async def answering(self, *, advice: str = "Try again later.") -> AsyncGenerator[None]:
        """Bound the Temporal calls inside, and turn what goes wrong with them into a sentence.

        Raises:
            ToolInputError: a workflow refused the request.
            ToolUnavailableError: there was no answer in time; the message ends in `advice`.
        """
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                await self._connect()
                yield
        except TimeoutError as error:
            raise (self._unanswered(advice) if self.connected.is_set() else self._unreachable(advice)) from error
        except WorkflowFailureError as error:
            raise self._failed(error, advice) from error
        except WorkflowQueryFailedError as error:
            logger.warning("The %s service refused a query: %s", self.service, error.message)
            raise ToolUnavailableError(f"The {self.service} service could not answer. {advice}") from error
        except RPCError as error:
            raise self._refused(error, advice) from error

    async def _connect(self) -> None:
        """Wait for the first connection: Temporal may be starting too."""
        while not self.connected.is_set():
            try:
                await self.client.service_client.check_health(retry=True)
            except RPCError as error:
                # The connection stands, and that is all: not every Temporal lets everybody ask for its health.
                logger.debug("The %s service hears nothing of Temporal's health: %s", self.service, error.message)
                self.connected.set()
            except RuntimeError as error:
                # There is no type of its own for this.
                if not str(error).startswith("Failed client connect"):
                    raise
                logger.debug("The %s service does not reach Temporal yet: %s", self.service, error)
                await asyncio.sleep(_CONNECT_INTERVAL)
            else:
                self.connected.set()

    def _unanswered(self, advice: str) -> ToolUnavailableError:
        seconds = self.timeout.total_seconds()
        return ToolUnavailableError(
            f"The {self.service} service did not answer within {seconds:g} s: its worker may be down. {advice}"
        )

    def _unreachable(self, advice: str) -> ToolUnavailableError:
        return ToolUnavailableError(
            f"The {self.service} service cannot be reached: its Temporal server does not answer. {advice}"
        )

    def _refused(self, error: RPCError, advice: str) -> ToolUnavailableError:
        if error.status is RPCStatusCode.UNAVAILABLE:
            return self._unreachable(advice)
        if error.status in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
            return self._unanswered(advice)
        if _is_missing_namespace(error):
            return ToolUnavailableError(
                f"The {self.service} service is not set up: Temporal has no namespace {self.client.namespace}. {advice}"
            )
        logger.warning("Temporal refused a call of the %s service: %s", self.service, error.message)
        return ToolUnavailableError(f"The {self.service} service cannot take calls at the moment. {advice}")

    def _failed(self, error: WorkflowFailureError, advice: str) -> ToolError:
        cause = error.cause.cause if isinstance(error.cause, ActivityError) else error.cause
        if isinstance(cause, ApplicationError):
            if cause.type == ToolInputError.__name__:
                return ToolInputError(cause.message)
            if cause.type == ToolUnavailableError.__name__:
                return ToolUnavailableError(cause.message)
        logger.warning("The workflow of a %s call failed: %r", self.service, cause)
        return ToolUnavailableError(f"The {self.service} service failed at this call. {advice}")
