"""Talk to a chat: a Temporal client's view of it. Needs neither agents nor a model."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Any, Self, TypeVar
from uuid import uuid4

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names
from durable_loop.boundary import as_chat_error
from durable_loop.chat.messages import (
    ChatInput,
    ChatStatus,
    Conversation,
    Decision,
    Failure,
    ListedTool,
    OpenQuestions,
    PartialText,
    Question,
    Reply,
    TranscriptLine,
    Turn,
    TurnOutcome,
    UnderWay,
)
from durable_loop.chat.sentences import sentence
from durable_loop.errors import (
    ChatBusyError,
    ChatDrainingError,
    ChatEndedError,
    ChatError,
    ChatNotFoundError,
    ChatUnavailableError,
    MessageRefusedError,
    TurnFailedError,
)

__all__ = ["MAX_MESSAGE_BYTES", "Chat", "Decide", "new_chat_id"]

# Has the user answer a question; None: somebody else will. Cancelled when the question is no longer asked.
Decide = Callable[[Question], Coroutine[Any, Any, Decision | None]]
T = TypeVar("T")

# More than a message of a workflow may have; a server that is sent it says the same as one that is busy.
MAX_MESSAGE_BYTES = 1_000_000
RETRY_AFTER = timedelta(seconds=0.2)
# Whether a question is still open is asked by a query, which leaves no event in the history; less and less often.
QUESTION_INTERVAL = timedelta(seconds=0.5)
QUESTION_BACKOFF = 1.5
MAX_QUESTION_INTERVAL = timedelta(seconds=2)
# A query that went to a worker that dies is lost; a worker that takes a long chat over needs some seconds for it.
QUERY_TIMEOUT = timedelta(seconds=10)
# What an update returns; the SDK's types know no unions.
_ANSWER: Any = Reply | OpenQuestions
_OUTCOME: Any = TurnOutcome | None
# What a server says of an update that was with a workflow task whose worker left it out, as happens where many come at
# once: nothing was accepted.
UNPROCESSED = "UnprocessedUpdate"
# A server that is away or restarts: the turn may have been accepted or not, so the same turn is sent again.
_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.RESOURCE_EXHAUSTED,  # more updates in flight than a workflow may have
    }
)


def new_chat_id() -> str:
    """Make an id for a chat, short enough to type."""
    return f"chat-{uuid4().hex[:12]}"


class Chat:
    """One chat by its id; the workflow starts with the first message."""

    def __init__(
        self, client: Client, chat_id: str, start: ChatInput, *, task_queue: str = names.QUEUE_ORCHESTRATOR
    ) -> None:
        self.chat_id = chat_id
        self._client = client
        self.start = start
        self._task_queue = task_queue

    @classmethod
    async def resume(
        cls, client: Client, chat_id: str, start: ChatInput, *, task_queue: str = names.QUEUE_ORCHESTRATOR
    ) -> Self:
        """Go on with a chat that exists and is open.

        Raises:
            ChatNotFoundError: there is none with this id.
            ChatEndedError: it was ended.
        """
        chat = cls(client, chat_id, start, task_queue=task_queue)
        if (await chat._description()).status is not WorkflowExecutionStatus.RUNNING:
            raise ChatEndedError(f"The chat {chat_id} was ended; start a new one.")
        return chat

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The chat's workflow, whichever run it is in."""
        return self._client.get_workflow_handle(self.chat_id)

    async def _description(self) -> WorkflowExecutionDescription:
        try:
            described = await self.handle.describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise ChatNotFoundError(f"There is no chat {self.chat_id}.") from error
            raise
        if described.workflow_type != names.WORKFLOW_CHAT:
            raise ChatNotFoundError(f"{self.chat_id} is no chat: it is a workflow of type {described.workflow_type}.")
        return described

    async def send(self, text: str, *, turn_id: str | None = None, decide: Decide | None = None) -> Reply:
        """Send a message and return its reply, starting the chat where it has not started.

        Waits out a full queue, a chat that continues as new and a server that restarts: the turn
        keeps its id, so it runs once however often it is sent. `decide` is asked where the chat asks its
        user; without it, this waits until somebody else has answered, or the question's deadline.

        Raises:
            MessageRefusedError: blank or too long; nothing was accepted.
            ChatEndedError: the chat takes no more messages.
            TurnFailedError: the turn ran and failed; the chat goes on.
            TurnCancelledError: the turn was cancelled.
        """
        if len(text.encode(errors="replace")) > MAX_MESSAGE_BYTES:
            raise MessageRefusedError(f"The message is too long: no chat takes more than {MAX_MESSAGE_BYTES:,} bytes.")
        turn = Turn(turn_id=turn_id or uuid4().hex, text=text)
        return await self._decided(await _until_answered(lambda: self.send_once(turn)), decide)

    async def send_once(self, turn: Turn) -> Reply | OpenQuestions:
        """Send a turn without retrying or asking; for callers that have a way of their own to wait."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.WORKFLOW_CHAT,
            self.start,
            id=self.chat_id,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            # An ended chat stays ended: a fresh run under its id would have forgotten everything.
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            # For whoever lists chats. The workflow does not see it: nothing in a replay depends on it.
            memo={names.MEMO_MODEL: self.start.model},
        )
        try:
            return await self._client.execute_update_with_start_workflow(  # pyright: ignore[reportUnknownMemberType] - an overload of the SDK
                names.UPDATE_SEND_MESSAGE,
                turn,
                start_workflow_operation=start,
                id=turn.turn_id,
                result_type=_ANSWER,
            )
        except WorkflowAlreadyStartedError as error:
            await _heard(start)
            raise ChatEndedError(f"The chat {self.chat_id} was ended; start a new one.") from error
        except WorkflowUpdateFailedError as error:
            raise _chat_error(error) from error
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
            await _heard(start)
            raise

    async def reply_to(self, turn_id: str, *, decide: Decide | None = None) -> Reply:
        """Wait for the reply to a turn that was accepted earlier; asks and raises as `send` does."""
        return await self._decided(await self._answer_to(turn_id), decide)

    async def _answer_to(self, turn_id: str) -> Reply | OpenQuestions:
        async def wait_once() -> Reply | OpenQuestions:
            try:
                return await self.handle.execute_update(  # pyright: ignore[reportUnknownMemberType] - an overload of the SDK
                    names.UPDATE_AWAIT_TURN, turn_id, result_type=_ANSWER
                )
            except WorkflowUpdateFailedError as error:
                raise _chat_error(error) from error
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return await self._answer_of_ended(turn_id)

        return await _until_answered(wait_once)

    async def _answer_of_ended(self, turn_id: str) -> Reply:
        """Return the reply to a turn of a chat that takes no more updates."""
        outcome: TurnOutcome | None = await _until_a_worker_answers(
            lambda: self._query(names.QUERY_OUTCOME, turn_id, result_type=_OUTCOME, timeout=QUERY_TIMEOUT)
        )
        match outcome:
            case TurnOutcome(reply=Reply() as reply):
                return reply
            case TurnOutcome(failure=Failure() as failure):
                raise as_chat_error(ApplicationError(failure.message, type=failure.kind))
            case _:
                raise ChatEndedError(f"The chat {self.chat_id} was ended and has no answer to this message.")

    async def _decided(self, answer: Reply | OpenQuestions, decide: Decide | None) -> Reply:
        """Have what is asked answered until there is a reply."""
        while isinstance(answer, OpenQuestions):
            await self._until_nothing_is_asked(decide)
            answer = await self._answer_to(answer.turn_id)
        return answer

    async def _until_nothing_is_asked(self, decide: Decide | None) -> None:
        """Ask the user each question once; what is not answered then is somebody else's."""
        asked: set[str] = set()
        while decide is not None:
            seen = await self._look_until(lambda seen: not seen or any(each.question_id not in asked for each in seen))
            question = next((each for each in seen if each.question_id not in asked), None)
            if question is None:
                return
            asked.add(question.question_id)
            await self.ask(question, decide)
        await self._look_until(lambda seen: not seen)

    async def ask(self, question: Question, decide: Decide) -> bool:
        """Have the user answer a question, unless it is closed before they do; False: `decide` has no answer."""
        deciding = asyncio.create_task(decide(question))
        closing = asyncio.create_task(self._look_until(lambda seen: question not in seen))
        try:
            await asyncio.wait({deciding, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not deciding.done():
                closing.result()
            elif (decision := deciding.result()) is None:
                return False
            else:
                await self.decide(decision)
            return True
        finally:
            deciding.cancel()
            closing.cancel()
            await asyncio.gather(deciding, closing, return_exceptions=True)

    async def _look_until(self, enough: Callable[[tuple[Question, ...]], bool]) -> tuple[Question, ...]:
        """Look at the open questions, less and less often, until it is `enough`; return them."""
        interval = QUESTION_INTERVAL
        while not enough(questions := await self._open_questions()):
            await asyncio.sleep(interval.total_seconds())
            interval = min(interval * QUESTION_BACKOFF, MAX_QUESTION_INTERVAL)
        return questions

    async def _open_questions(self) -> tuple[Question, ...]:
        described = await _until_answered(self.handle.describe)
        if described.status is not WorkflowExecutionStatus.RUNNING:
            return ()  # one that was terminated has not closed them
        return (await _until_a_worker_answers(self._status_in_time)).questions

    async def _status_in_time(self) -> ChatStatus:
        return await self._query(names.QUERY_STATUS, result_type=ChatStatus, timeout=QUERY_TIMEOUT)

    async def decide(self, decision: Decision) -> None:
        """Answer a question of the chat; the first answer counts. One that is not open stays as it is.

        Raises:
            ChatNotFoundError: there is no such chat.
        """
        try:
            await _until_answered(lambda: self.handle.signal(names.SIGNAL_DECIDE, decision))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            await self._description()  # in a chat that is over no question is open

    async def cancel(self, turn_id: str) -> None:
        """Stop a turn. One that is over stays as it is."""
        await self.handle.signal(names.SIGNAL_CANCEL_TURN, turn_id)

    async def end(self) -> None:
        """Have the chat answer what it accepted and complete."""
        await self.handle.signal(names.SIGNAL_END_CHAT)

    async def compact(self) -> None:
        """Have the chat put a summary in the place of all turns but the last; the model writes it."""
        await self.handle.signal(names.SIGNAL_COMPACT)

    async def transcript(self) -> Sequence[TranscriptLine]:
        """Return what was said so far."""
        return (await self.conversation()).lines

    async def conversation(self) -> Conversation:
        """Return what was said so far, and what is to be answered yet."""
        return await self._query(names.QUERY_CONVERSATION, result_type=Conversation)

    async def settled(self, *, after: str | None) -> list[TurnOutcome]:
        """Return the turns that are over since one of them; all that the chat remembers where it is not among them."""
        return await self._query(names.QUERY_SETTLED, after, result_type=list[TurnOutcome])

    async def tools(self) -> list[ListedTool]:
        """Return the tools that the model was offered last; none before the first turn."""
        return await self._query(names.QUERY_TOOLS, result_type=list[ListedTool])

    async def status(self) -> ChatStatus:
        """Return the chat at this moment."""
        return await self._query(names.QUERY_STATUS, result_type=ChatStatus)

    async def _query(self, name: str, *arguments: Any, result_type: Any, timeout: timedelta | None = None) -> Any:  # noqa: ASYNC109 - of the call
        try:
            return await self.handle.query(name, args=arguments, result_type=result_type, rpc_timeout=timeout)
        except WorkflowQueryFailedError as error:
            raise ChatUnavailableError(f"The workers cannot tell of the chat {self.chat_id}: {error}") from error

    async def under_way(self) -> list[UnderWay]:
        """Return what the chat waits for at this moment, retries included; leaves no event in its history."""
        described = await self.handle.describe()
        # One that was cancelled is waited for by nobody, whether its worker has heard of that or not.
        return [
            await self._under_way(pending)
            for pending in described.raw_description.pending_activities
            if pending.state != PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
        ]

    async def _under_way(self, pending: PendingActivityInfo) -> UnderWay:
        failure = pending.last_failure if pending.HasField("last_failure") else None
        return UnderWay(
            call=pending.activity_id,
            what=_in_words(pending.activity_type.name),
            attempt=pending.attempt,
            max_attempts=pending.maximum_attempts,
            pause=_pause(pending),
            last_error=sentence(await self._client.data_converter.decode_failure(failure)) if failure else None,
            said=await self._said(pending),
        )

    async def _said(self, pending: PendingActivityInfo) -> PartialText | None:
        """Return the text that rides on a heartbeat; that of an attempt before stays there until the next beat."""
        if not pending.heartbeat_details.payloads or not pending.activity_type.name.startswith("invoke_model"):
            return None
        (said,) = await self._client.data_converter.decode(pending.heartbeat_details.payloads, [PartialText])
        return said if said.attempt == pending.attempt else None


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the chat or its server says "not now"; every other answer is the answer."""
    while True:
        try:
            return await ask()
        except (ChatBusyError, ChatDrainingError):
            pass
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            # The SDK says this of a call that timed out, and of one whose own caller was cancelled.
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise error.__cause__ from None
        except RPCError as error:
            if error.status not in _AWAY:
                raise
        await asyncio.sleep(RETRY_AFTER.total_seconds())


async def _until_a_worker_answers(query: Callable[[], Awaitable[T]]) -> T:
    """Query again while there is no worker that could answer."""
    while True:
        try:
            return await _until_answered(query)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
        await asyncio.sleep(MAX_QUESTION_INTERVAL.total_seconds())


async def _heard(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """Take the error of a start once more: the SDK keeps it for whoever asks, and Python complains if nobody does."""
    with suppress(RPCError, WorkflowAlreadyStartedError, WorkflowUpdateRPCTimeoutOrCancelledError):
        await start.workflow_handle()


def _chat_error(error: WorkflowUpdateFailedError) -> ChatError:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == UNPROCESSED:
        return ChatBusyError("The chat did not come to the message.")
    return as_chat_error(cause) if isinstance(cause, ApplicationError) else TurnFailedError(str(cause))


def _pause(pending: PendingActivityInfo) -> float:
    """Return how many seconds there are until the next attempt, by the clock of this machine."""
    is_between = pending.attempt > 1 and pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return max(0.0, pending.scheduled_time.ToDatetime(UTC).timestamp() - time.time()) if is_between else 0.0


def _in_words(activity: str) -> str:
    """Name an activity for a reader: `temporalio.mcp.finance.call-tool` is a finance tool call."""
    match activity.split("."):
        case [_, "mcp", server, "call-tool"]:
            return f"{server} tool call"
        case [_, "mcp", server, "list-tools"]:
            return f"{server} tool list"
        case [name] if name.startswith("invoke_model"):
            return "model call"
        case _:
            return activity
