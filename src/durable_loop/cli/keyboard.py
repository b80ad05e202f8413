"""A person at a terminal: a prompt with a history, editing and completion, and a line that stands for a reply to come.

The terminal is in raw mode from the first screen to the last: what is typed while the agent works is kept for the next
prompt, key by key, and Ctrl-C and Ctrl-D are seen at once.
"""

import asyncio
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, get_app, get_app_session
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.patch_stdout import patch_stdout

from durable_loop.chat.messages import Decision, Question
from durable_loop.cli import screen
from durable_loop.cli.answering import Answering, GrowingReply
from durable_loop.cli.fitting import beginning, wrapped
from durable_loop.cli.prompt import LEAVE, InterruptedByUser, LeftByUser, text_of
from durable_loop.cli.slash import ChatIds, SlashCompleter
from durable_loop.cli.terminal import Look

__all__ = ["TerminalLines"]

PROMPT = "You: "
# Below it, so that lines stand in a column.
CONTINUATION = "     "
ENTER = KeyPress(Keys.ControlM, "\r")
ERASE_LINE = "\r\x1b[K"


class TerminalLines:
    """A prompt with a history of its own and a toolbar that says what is still starting."""

    def __init__(self, history: Path, *, toolbar: Callable[[], str], chat_ids: ChatIds) -> None:
        self._toolbar = toolbar
        self._waiting = ""  # the line that stands for a reply to come
        self._asking = False
        self._to_edit: str | None = None
        self._on_key: Callable[[Exception], None] = _leave_it
        with _plain_where_it_is():
            self._session: PromptSession[str] = PromptSession(
                history=FileHistory(history),
                completer=SlashCompleter(chat_ids),
                complete_while_typing=False,
                multiline=True,
                prompt_continuation=CONTINUATION,
                key_bindings=_keys(),
                enable_history_search=True,
                # Ctrl-X Ctrl-E, as in a shell.
                enable_open_in_editor=True,
            )

    @contextmanager
    def held(self, on_key: Callable[[Exception], None]) -> Generator[None]:
        """Have the terminal in raw mode."""
        self._on_key = on_key
        terminal = self._session.app.input
        with terminal.raw_mode(), terminal.attach(self._keep_keys):
            # What was typed before this program had the terminal: the system made each Enter a Ctrl-J then.
            store_typeahead(terminal, [ENTER if key.key == Keys.ControlJ else key for key in terminal.read_keys()])
            yield

    async def read(self) -> str | None:
        """Prompt for a line; Ctrl-D is the end, Ctrl-C raises InterruptedByUser."""
        draft, self._to_edit = self._to_edit, None
        try:
            # What is written while the user types comes above the prompt; it has been made harmless before. At other
            # times it is written at once: a line that was typed ahead must not overtake the reply to the one before.
            with patch_stdout(raw=True):
                line = await self._session.prompt_async(
                    PROMPT,
                    bottom_toolbar=lambda: self._toolbar() or None,
                    handle_sigint=False,
                    default=draft or "",
                    pre_run=_open_editor if draft is not None else None,
                )
        except EOFError:
            return None
        return text_of(line)

    def edit(self, text: str) -> None:
        """Open the editor at the next prompt; what was written is sent from there."""
        self._to_edit = text

    async def decide(self, question: Question, *, own: bool) -> Decision | None:  # noqa: ARG002 - a user answers all
        """Ask until there is an answer.

        Raises:
            InterruptedByUser: Ctrl-C; the question stays open.
            LeftByUser: Ctrl-D or `quit`; as above.
        """
        thinking, self._waiting, self._asking = self._waiting, "", True
        self.tell(f"{self._erasing()}{screen.question(question)}")
        # What was typed before the question could be read is no answer to it: it is for the next line.
        self._keep_keys()
        typed_ahead = get_typeahead(self._session.app.input)
        try:
            return await self._decision(question)
        except asyncio.CancelledError:
            self.tell(screen.no_longer_asked())
            raise
        finally:
            # Before what was typed after the answer.
            terminal = self._session.app.input
            store_typeahead(terminal, [*typed_ahead, *get_typeahead(terminal)])
            self._asking = False
            self._wait(thinking)

    async def _decision(self, question: Question) -> Decision:
        # Its answers are not for the history of what was said.
        with _plain_where_it_is():
            session = PromptSession[str](interrupt_exception=InterruptedByUser)
        while True:
            try:
                with patch_stdout(raw=True):
                    typed = text_of(await session.prompt_async(screen.may_it(question), handle_sigint=False))
            except EOFError as error:
                raise LeftByUser from error
            if typed.strip().lower().removeprefix("/") in LEAVE:
                raise LeftByUser
            if (decision := screen.decision(question, typed)) is not None:
                return decision
            self.tell(screen.unclear(question))

    def look(self) -> Look | None:
        """Return the look of the terminal."""
        return Look.now()

    def tell(self, text: str) -> None:
        """Write above the prompt, or above the line that stands for a reply; what is too wide wraps between words."""
        text = wrapped(text, Look.now().columns)
        sys.stdout.write(f"{self._erasing()}{text}{self._waiting}" if self._waiting else text)
        sys.stdout.flush()

    def complain(self, text: str) -> None:
        """Write it as everything else: the user sees both."""
        self.tell(text)

    @property
    def exit_code(self) -> int:
        """0: the user saw what went wrong, and went on."""
        return 0

    @contextmanager
    def answering(self) -> Generator[Answering]:
        """Show a line, write above it what is there of the reply, and take it away again."""
        reply = GrowingReply(self.tell, self._wait)
        reply.doing("")
        if not Look.now().plain:
            # A paste is one message, also while the agent works; each prompt ends this.
            self._session.app.output.enable_bracketed_paste()
            self._session.app.output.flush()
        try:
            yield reply
        finally:
            self._waiting = ""
            sys.stdout.write(self._erasing())
            sys.stdout.flush()

    def refresh(self) -> None:
        """Draw the toolbar again."""
        self._session.app.invalidate()

    def _wait(self, line: str) -> None:
        if self._asking:
            return
        look = Look.now()
        if look.plain:
            return  # a line that cannot be taken away again would stand there for ever
        # One row, which can be taken away again; a tab would take as much of it as it likes.
        line = beginning(line.expandtabs(1), shutil.get_terminal_size().columns - 1)
        if line != self._waiting:
            sys.stdout.write(f"{self._erasing()}{line}")
            sys.stdout.flush()
            self._waiting = line

    def _erasing(self) -> str:
        return "" if Look.now().plain else ERASE_LINE

    def _keep_keys(self) -> None:
        """Keep what is typed between two prompts for the next one; what is to be heard at once is told."""
        terminal = self._session.app.input
        kept = get_typeahead(terminal)
        for key in terminal.read_keys():
            if key.key == Keys.ControlC:
                kept.clear()  # as in a shell: what was typed ahead is gone with it
                self._on_key(InterruptedByUser())
            elif key.key == Keys.ControlD and _is_at_line_start(kept):
                self._on_key(LeftByUser())
            else:
                kept.append(key)
        store_typeahead(terminal, kept)


def _keys() -> KeyBindings:
    """Enter sends, Alt-Enter and Ctrl-J begin another line; Ctrl-C clears what is typed, else it interrupts."""
    keys = KeyBindings()
    at_the_prompt = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=at_the_prompt)
    def _send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=at_the_prompt)
    @keys.add("c-j", filter=at_the_prompt)
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c", filter=at_the_prompt)
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=InterruptedByUser())

    return keys


def _plain_where_it_is() -> AbstractContextManager[object]:
    """Have what is made within it write plain text, where the terminal shows nothing else.

    Not as an argument: with an output of its own a prompt is drawn again and again, which a dumb terminal cannot do.
    """
    if not Look.now().plain:
        return nullcontext()
    return create_app_session(input=get_app_session().input, output=PlainTextOutput(sys.stdout))


def _open_editor() -> None:
    get_app().current_buffer.open_in_editor()


def _leave_it(_: Exception) -> None:
    """Do nothing: nobody wants to know yet."""


def _is_at_line_start(typed: list[KeyPress]) -> bool:
    return not typed or typed[-1].key in {Keys.ControlM, Keys.ControlJ}
