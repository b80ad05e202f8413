"""The chat: one conversation, one workflow."""
