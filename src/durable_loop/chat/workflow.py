"""The chat as a workflow: validate, queue, run the agent, answer.

Turns run one at a time in a task of the workflow; an update only waits for its own turn. The turn
boundary (`_turn`) is the one place that catches broadly: nothing that a model, a tool or a user
sends may put a workflow task in a retry loop.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NoReturn, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():  # pydantic, agents and mcp are too large to import once a workflow
    from agents import FunctionTool, ModelBehaviorError, RunConfig, Runner, TResponseInputItem
    from agents.run import CallModelData, ModelInputData

    from durable_loop import names
    from durable_loop.boundary import as_application_error
    from durable_loop.chat.agent import build_agent, build_summariser
    from durable_loop.chat.compaction import rendered, shortened, summarised_turns
    from durable_loop.chat.failures import cancelled, failure_of
    from durable_loop.chat.messages import (
        ChatInput,
        ChatPhase,
        ChatStatus,
        Conversation,
        Decision,
        Item,
        ListedTool,
        ModelInputPage,
        OpenQuestions,
        Question,
        Reply,
        Turn,
        TurnOutcome,
        Verdict,
    )
    from durable_loop.chat.model_input import ModelInputShelf
    from durable_loop.chat.offer import OfferedTool, offer, unknown_names
    from durable_loop.chat.questions import arguments_to_show, until_refused
    from durable_loop.chat.sentences import sentence, stopped
    from durable_loop.chat.state import ChatState
    from durable_loop.chat.stretches import run_in_stretches
    from durable_loop.chat.tool_log import ToolLog
    from durable_loop.chat.tools import ListingFailed, list_tools, local_tools, mcp_servers
    from durable_loop.chat.transcript import lines
    from durable_loop.errors import ChatError, MessageRefusedError, TurnFailedError
    from durable_loop.versioning import needs_new_run, next_version

__all__ = ["ChatWorkflow"]

# The turns that wait are held up for no longer than this while older ones are summarised.
SUMMARY_TIMEOUT: Final = timedelta(minutes=10)
# Of the message that a question names.
ABOUT_CHARS: Final = 200


@workflow.defn(name=names.WORKFLOW_CHAT)
class ChatWorkflow:
    """One chat, from its first message until it is ended; as many runs as its length asks for."""

    @workflow.init
    def __init__(self, chat: ChatInput) -> None:
        self._model = chat.model
        self._policy = chat.policy
        self._state = ChatState(chat.policy, chat.carried)
        self._shelf = ModelInputShelf()
        self._tools = local_tools(chat.policy)
        self._servers = mcp_servers(chat.policy, call_meta=self._call_meta)
        self._run_config = RunConfig(
            tracing_disabled=True,
            call_model_input_filter=self._by_reference,
            tool_not_found_behavior="return_error_to_model",
        )
        self._running: asyncio.Task[None] | None = None
        self._cancelled: str | None = None
        self._compact_asked = False
        self._calls_in_turn = 0
        self._questions_in_turn = 0
        self._said: list[Item] = []
        self._log = ToolLog()
        self._turn_of_log: str | None = None
        self._offered: Sequence[OfferedTool] = ()

    @workflow.run
    async def run(self, chat: ChatInput) -> None:
        """Answer turns until the chat is ended; continue as new when the history has grown long."""
        while self._state.phase is ChatPhase.OPEN or self._state.waiting:
            await workflow.wait_condition(self._has_work)
            if self._state.waiting:
                await self._answer_next()
            await self._keep_short()
            if workflow.cancellation_reason() is not None:
                await self._give_up()
            if self._wants_new_run():
                self._state.drain()
        # An update that is in flight belongs to this run: its answer must be out before the run ends.
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._state.phase is ChatPhase.DRAINING:
            workflow.continue_as_new(
                chat.model_copy(update={"carried": self._state.carry()}), initial_versioning_behavior=next_version()
            )

    @workflow.update(name=names.UPDATE_SEND_MESSAGE)
    async def send_message(self, turn: Turn) -> Reply | OpenQuestions:
        """Accept a turn and return its reply. The same turn again returns the same reply and runs nothing.

        While the user is asked something no update is held open: it returns the questions.
        """
        # Accepted before the model runs, so that a crash from here on loses no message.
        self._state.accept(turn)
        return await self._outcome(turn.turn_id)

    @send_message.validator
    def _refuse(self, turn: Turn) -> None:
        try:
            self._state.check(turn)
        except ChatError as error:
            raise as_application_error(error) from error

    @workflow.update(name=names.UPDATE_AWAIT_TURN)
    async def await_turn(self, turn_id: str) -> Reply | OpenQuestions:
        """Return the reply to a turn that was accepted before, also in an earlier run of the chat; or questions."""
        return await self._outcome(turn_id)

    @await_turn.validator
    def _refuse_unknown(self, turn_id: str) -> None:
        if not self._state.knows(turn_id):
            raise as_application_error(MessageRefusedError(f"This chat knows no turn {turn_id}."))

    @workflow.signal(name=names.SIGNAL_CANCEL_TURN)
    def cancel_turn(self, turn_id: str) -> None:
        """Stop a turn, running, waiting or to come. One that is over stays as it is."""
        # A signal is in the history at once; a message is not, until a worker accepts it.
        if not self._state.knows(turn_id) and workflow.patched(names.PATCH_CANCEL_FIRST):
            self._state.forestall(turn_id, cancelled())
        self._state.withdraw(turn_id, cancelled())
        if self._running is not None and self._state.running is not None and self._state.running.turn_id == turn_id:
            self._cancelled = turn_id
            self._running.cancel()

    @workflow.signal(name=names.SIGNAL_DECIDE)
    def decide(self, decision: Decision) -> None:
        """Take the user's answer to a question. One that is not open stays as it is."""
        self._state.questions.decide(decision)

    @workflow.signal(name=names.SIGNAL_END_CHAT)
    def end_chat(self) -> None:
        """Answer what was accepted, then complete."""
        self._state.end()

    @workflow.signal(name=names.SIGNAL_COMPACT)
    def compact(self) -> None:
        """Put a summary in the place of all turns but the last, once no turn is running."""
        self._compact_asked = True

    @workflow.signal(name=names.SIGNAL_HAND_OVER)
    def hand_over(self) -> None:
        """Do nothing: with any task, a chat that is idle sees that its workers have a new version."""

    @workflow.query(name=names.QUERY_CONVERSATION)
    def conversation(self) -> Conversation:
        """Return what was said so far, and what is to be answered yet."""
        running = (self._state.running,) if self._state.running is not None else ()
        return Conversation(
            lines=tuple(lines(self._state.transcript)),
            settled=tuple(outcome.turn_id for outcome in self._state.settled()),
            open=(*running, *self._state.waiting),
        )

    @workflow.query(name=names.QUERY_SETTLED)
    def settled(self, after: str | None) -> list[TurnOutcome]:
        """Return the turns that are over since one of them; of an unknown one, all that the chat remembers."""
        return list(self._state.settled(after=after))

    @workflow.query(name=names.QUERY_TOOLS)
    def tools(self) -> list[ListedTool]:
        """Return the tools that the model was offered last; none before the first turn of a run."""
        return [each.listed(self._policy.approval) for each in self._offered]

    @workflow.query(name=names.QUERY_STATUS)
    def status(self) -> ChatStatus:
        """Return the chat at this moment."""
        running = self._state.running
        return ChatStatus(
            phase=self._state.phase,
            model=self._model,
            turns=self._state.turns,
            running=running.turn_id if running else None,
            waiting=tuple(turn.turn_id for turn in self._state.waiting),
            model_calls=self._shelf.calls,
            tokens=self._state.tokens + (self._log.tokens if self._state.running is not None else 0),
            title=self._state.title,
            summarised=summarised_turns(self._state.transcript),
            questions=self._state.questions.open,
            calls_of=self._turn_of_log,
            calls=self._log.calls,
        )

    @workflow.query(name=names.QUERY_OUTCOME)
    def outcome(self, turn_id: str) -> TurnOutcome | None:
        """Return what a turn came to, or None; a chat that has ended can still be asked."""
        return self._state.outcome(turn_id)

    @workflow.query(name=names.QUERY_MODEL_INPUT)
    def model_input(self, asked: ModelInputPage) -> str | None:
        """Return a page of the input of the model call under way; the worker that makes the call asks."""
        return self._shelf.page(asked)

    async def _outcome(self, turn_id: str) -> Reply | OpenQuestions:
        outcome, questions = None, ()
        while outcome is None and not questions:
            await workflow.wait_condition(
                lambda: self._state.outcome(turn_id) is not None or bool(self._state.questions.open)
            )
            outcome, questions = self._state.outcome(turn_id), self._state.questions.open
        if outcome is None:
            return OpenQuestions(turn_id=turn_id, questions=tuple(question.question_id for question in questions))
        if outcome.failure is not None:
            raise ApplicationError(outcome.failure.message, type=outcome.failure.kind, non_retryable=True)
        if outcome.reply is None:
            raise RuntimeError(f"turn {turn_id} has neither reply nor failure")
        return outcome.reply

    async def _answer_next(self) -> None:
        titled = self._state.title is not None
        turn = self._state.start_next()
        if not titled:
            workflow.upsert_memo({names.MEMO_TITLE: self._state.title})
        self._running = asyncio.create_task(self._turn(turn))
        try:
            await self._running
        finally:
            self._running = None

    async def _give_up(self) -> NoReturn:
        """End a workflow that is cancelled: whoever waits is told before it is gone."""
        self._state.end()
        for turn in self._state.waiting:
            self._state.withdraw(turn.turn_id, cancelled())
        await workflow.wait_condition(workflow.all_handlers_finished)
        raise asyncio.CancelledError

    async def _turn(self, turn: Turn) -> None:
        """Settle the running turn, whatever happens in it."""
        self._calls_in_turn = 0
        self._questions_in_turn = 0
        self._said = []
        self._turn_of_log, self._log = turn.turn_id, (log := ToolLog())
        try:
            notes, tools = await self._offered_tools(log)
            text = await run_in_stretches(
                build_agent(model=self._model, tools=tools),
                turn.text,
                self._said,
                max_model_calls=self._policy.max_model_calls,
                hooks=log,
                run_config=self._run_config,
            )
            if not text.strip():
                raise ModelBehaviorError("an empty answer")  # noqa: TRY301 - all failures of a turn end at one place
        except workflow.NondeterminismError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            asked = self._cancelled == turn.turn_id or workflow.cancellation_reason() is not None
            if isinstance(error, asyncio.CancelledError) and not asked:
                raise  # the workflow leaves this worker's cache
            failure = cancelled() if asked else failure_of(error, max_model_calls=self._policy.max_model_calls)
            self._state.tokens += log.tokens
            self._state.fail(failure, log.lines)
        else:
            self._state.tokens += log.tokens
            self._state.answer(Reply(turn_id=turn.turn_id, text=text, notes=notes), self._said)

    async def _keep_short(self) -> None:
        """Summarise old turns where the transcript is past its budget, or somebody asked for it."""
        if not (self._compact_asked or self._state.is_long):
            return
        self._compact_asked = False
        old = self._state.old_turns()
        summary = await self._summary_of(old) if old else None
        if summary is not None or self._state.is_too_long:
            self._state.summarise(old, summary)

    async def _summary_of(self, old: Sequence[Item]) -> str | None:
        """Have the model summarise turns; None where it cannot: the chat goes on with what it has."""
        asking = Runner.run(build_summariser(model=self._model), rendered(old), run_config=self._run_config)
        try:
            result = await asyncio.wait_for(asking, SUMMARY_TIMEOUT.total_seconds())
        except workflow.NondeterminismError:
            raise
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise  # the workflow leaves this worker's cache
            return None
        except Exception as error:  # noqa: BLE001 - as in a turn: nothing that a model sends may stop the chat
            workflow.logger.warning("The older turns could not be summarised: %s", sentence(error))
            return None
        self._state.tokens += result.context_wrapper.usage.total_tokens
        return str(result.final_output).strip() or None

    async def _offered_tools(self, log: ToolLog) -> tuple[tuple[str, ...], list[FunctionTool]]:
        """Return what the model may call, and what the user is told of what it may not.

        All servers list their tools at once; one that does not answer is left out.
        """
        listed = await asyncio.gather(*(list_tools(server) for server in self._servers))
        away = [
            f"The {failed.server} tools are not available: {failed.reason}"
            for failed in listed
            if isinstance(failed, ListingFailed)
        ]
        there = [
            (server, tools)
            for server, tools in zip(self._servers, listed, strict=True)
            if not isinstance(tools, ListingFailed)
        ]
        offered, left_out = offer(self._tools, there)
        unknown = [] if away else unknown_names(self._policy.approval, offered)
        self._offered = offered
        tools = [
            each.asking(self._approve, log) if each.asks_first(self._policy.approval) else each.tool for each in offered
        ]
        return (*away, *left_out, *unknown), tools

    async def _approve(self, tool: str, arguments: str) -> str | None:
        """Wait until the user has decided on a call; return why it may not be made, or None."""
        self._questions_in_turn += 1
        turn = self._turn_of_call()
        question_id = f"{turn.turn_id}/{self._questions_in_turn}"
        deadline = self._policy.approval_deadline
        shown, is_cut = arguments_to_show(arguments)
        self._state.ask(
            Question(
                question_id=question_id,
                turn_id=turn.turn_id,
                about=shortened(turn.text, ABOUT_CHARS),
                tool=tool,
                arguments=shown,
                is_cut=is_cut,
                deadline=workflow.now() + deadline,
            )
        )
        questions = self._state.questions
        try:
            if questions.decision(question_id) is None:
                await workflow.wait_condition(
                    lambda: questions.decision(question_id) is not None,
                    timeout=deadline,
                    timeout_summary=until_refused(tool),
                )
            decision = questions.decision(question_id)
        except TimeoutError:
            return f"nobody allowed it within {deadline}."
        finally:
            questions.close(question_id)
        if decision is None or decision.verdict is Verdict.REJECT:
            reason = decision.reason.strip() if decision else ""
            return f"the user did not allow it: {stopped(reason)}" if reason else "the user did not allow it."
        return None

    def _by_reference(self, call: CallModelData[Any]) -> ModelInputData:
        if self._run_is_full():
            raise as_application_error(TurnFailedError("The turn has grown too long: ask for less at once."))
        # The SDK walks through its input with each model call, which makes a replay slow: it gets a stretch of the
        # turn, and what was said before is put in front of it here. A summary is asked for between turns.
        earlier = [*self._state.transcript, *self._said] if self._state.running is not None else []
        reference = self._shelf.keep(earlier, call.model_data.input)
        return ModelInputData(
            input=cast("list[TResponseInputItem]", reference.as_items()),
            instructions=call.model_data.instructions,
        )

    def _call_meta(self) -> dict[str, Any]:
        """Make the `_meta` of an MCP call: its key is the same on every retry and differs for every other call."""
        self._calls_in_turn += 1
        chat = workflow.info().workflow_id
        return {
            names.META_CHAT: chat,
            names.META_IDEMPOTENCY_KEY: f"{chat}/{self._turn_of_call().turn_id}/{self._calls_in_turn}",
        }

    def _turn_of_call(self) -> Turn:
        if self._state.running is None:
            raise RuntimeError("a tool call outside of a turn")
        return self._state.running

    def _has_work(self) -> bool:
        return (
            bool(self._state.waiting)
            or self._compact_asked
            or self._state.phase is not ChatPhase.OPEN
            # Signals and waiting updates fill a history too. Our own limits do not count here: what is
            # carried over may exceed them, and the chat would continue as new without end.
            or needs_new_run()
        )

    def _run_is_full(self) -> bool:
        info = workflow.info()
        return (
            info.get_current_history_length() > self._policy.full_run_events
            or info.get_current_history_size() > self._policy.full_run_bytes
        )

    def _wants_new_run(self) -> bool:
        info = workflow.info()
        return (
            needs_new_run()
            or info.get_current_history_length() > self._policy.max_run_events
            or info.get_current_history_size() > self._policy.max_run_bytes
        )
