"""What a test changes of settings, by the names of their fields."""

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel

__all__ = ["with_fields"]

_Model = TypeVar("_Model", bound=BaseModel)


def with_fields(model: _Model, /, **fields: Any) -> _Model:
    """Return a copy of a model with other values in some fields.

    Raises:
        TypeError: it has no such field; names the nearest one.
    """
    known = type(model).model_fields
    for name in fields:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known))}."
            raise TypeError(f"{type(model).__name__} has no field {name}: {hint}")
    return model.model_copy(update=fields)
