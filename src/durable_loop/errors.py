"""Every error that this project raises on purpose.

    DurableLoopError
    ├── SetupError                 the user's machine or settings; shown as it is, exit code 2
    │   ├── SettingsError
    │   ├── ModelSetupError
    │   ├── TemporalBinaryNotFoundError
    │   ├── TemporalUnreachableError
    │   ├── NamespaceMissingError
    │   └── StackError
    ├── ToolError                  a tool call that did not work
    │   ├── ToolInputError         the caller's fault: another try with the same arguments fails again
    │   └── ToolUnavailableError   nobody's fault: the same call may work later
    ├── ModelError                 a model call that did not work
    │   ├── ModelRefusedError      the provider said no: the same call fails again
    │   └── ModelUnavailableError  nobody's fault: the same call may work later
    └── ChatError                  the chat said no
        ├── MessageRefusedError    blank, too long, or a malformed turn id
        ├── ChatBusyError          the queue of waiting turns is full
        ├── ChatDrainingError      the chat is about to continue as new: send again
        ├── ChatEndedError
        ├── ChatNotFoundError
        └── TurnFailedError        the turn was accepted, ran and failed
            └── TurnCancelledError

What they look like beyond a workflow or an activity is in `boundary`: this module needs nothing but Python, since the
terminal's prompt waits for it.
"""

from datetime import timedelta

__all__ = [
    "ChatBusyError",
    "ChatDrainingError",
    "ChatEndedError",
    "ChatError",
    "ChatNotFoundError",
    "DurableLoopError",
    "MessageRefusedError",
    "ModelError",
    "ModelRefusedError",
    "ModelSetupError",
    "ModelUnavailableError",
    "NamespaceMissingError",
    "SettingsError",
    "SetupError",
    "StackError",
    "TemporalBinaryNotFoundError",
    "TemporalUnreachableError",
    "ToolError",
    "ToolInputError",
    "ToolUnavailableError",
    "TurnCancelledError",
    "TurnFailedError",
]


class DurableLoopError(Exception):
    """The base of everything below; its text is one readable message."""


class SetupError(DurableLoopError):
    """The program cannot start as asked: says what is wrong, where, and what to do."""


class SettingsError(SetupError):
    """A setting has a value that cannot be used."""


class ModelSetupError(SetupError):
    """The model cannot be used: unknown provider, or its key is missing."""


class TemporalBinaryNotFoundError(SetupError):
    """No Temporal dev server on this machine."""


class TemporalUnreachableError(SetupError):
    """No Temporal answers at the configured address."""


class NamespaceMissingError(SetupError):
    """A namespace is missing and may not be created from here."""


class StackError(SetupError):
    """A part of the embedded stack did not start or did not answer."""


class ToolError(DurableLoopError):
    """A tool call failed; the text is a sentence that a model can act on."""


class ToolInputError(ToolError):
    """The arguments are wrong: the same call fails again."""


class ToolUnavailableError(ToolError):
    """Something behind the tool is away: the same call may work later."""


class ModelError(DurableLoopError):
    """A model call failed; the text is for the user and never holds a key."""


class ModelRefusedError(ModelError):
    """The provider said no (key, model name, request): the same call fails again."""


class ModelUnavailableError(ModelError):
    """The provider is away, busy or answered with nothing: the same call may work later.

    `retry_after` is the wait that the provider asked for.
    """

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ChatError(DurableLoopError):
    """The chat refused or failed something."""


class MessageRefusedError(ChatError):
    """The message was not accepted: nothing ran, nothing was kept."""


class ChatBusyError(ChatError):
    """Too many turns are waiting: nothing was accepted, send again later with the same turn id."""


class ChatDrainingError(ChatError):
    """The chat is about to continue as new: send again with the same turn id."""


class ChatEndedError(ChatError):
    """The chat was ended and takes no more messages."""


class ChatNotFoundError(ChatError):
    """There is no chat with this id."""


class ChatWaitsError(ChatError):
    """The chat waits for its user to allow something, and goes on then; what was accepted stays so."""


class ChatUnavailableError(ChatError):
    """No worker can tell of the chat: those that there are cannot replay it, or are of another build."""


class TurnFailedError(ChatError):
    """The turn was accepted and failed; the chat goes on without it."""


class TurnCancelledError(TurnFailedError):
    """The turn was cancelled on request; the chat goes on without it."""
