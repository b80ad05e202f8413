"""The limits of a chat, from the settings; fixed in the chat's history when it starts."""

from durable_loop.chat.messages import ChatPolicy
from durable_loop.settings import Settings

__all__ = ["chat_policy"]


def chat_policy(settings: Settings) -> ChatPolicy:
    """Return what a chat started now is bound to."""
    return ChatPolicy(
        max_message_chars=settings.max_message_chars,
        max_model_calls=settings.max_model_calls,
        max_transcript_tokens=settings.max_transcript_tokens,
        max_run_events=settings.max_run_events,
        max_run_bytes=settings.max_run_bytes,
        tool_timeout=settings.tool_timeout,
        tool_attempts=settings.tool_attempts,
        heartbeat_timeout=settings.heartbeat_timeout,
        first_retry_after=settings.first_retry_after,
        approval=settings.approval,
        approval_deadline=settings.approval_deadline,
    )
