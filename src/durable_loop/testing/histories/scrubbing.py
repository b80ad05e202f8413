"""What a stored history does not tell: the machine and the people of the run that wrote it."""

from typing import Any, Final, cast

__all__ = ["scrubbed"]

# Of the machine that recorded, and no matter to replay. Run ids stay: `workflow.uuid4()` is seeded by them.
_SCRUBBED: Final = frozenset({"identity", "requestId", "taskId", "stackTrace"})


def scrubbed(value: Any) -> Any:
    """Return a history (or a part of one, as JSON) without what tells of the machine that recorded it."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get("kind") == "TASK_QUEUE_KIND_STICKY":
            fields = {**fields, "name": "sticky"}  # made from the worker's identity
        return {key: scrubbed(inner) for key, inner in fields.items() if key not in _SCRUBBED}
    if isinstance(value, list):
        return [scrubbed(inner) for inner in cast("list[Any]", value)]
    return value
