"""The public extension point: `package.module:factory` in a setting puts your own into the real workers."""

import importlib
from collections.abc import Callable
from typing import Any

from durable_loop.errors import SettingsError

__all__ = ["load"]


def load(path: str, *, setting: str) -> Any:
    """Import the factory that `path` names and return what it makes.

    Raises:
        SettingsError: there is no such module or attribute, or it cannot be called without arguments.
    """
    module_name, _, attribute = path.partition(":")
    try:
        factory: Callable[[], Any] = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(f"{setting}={path!r} names nothing that can be imported: {error}.") from error
    if not callable(factory):
        raise SettingsError(f"{setting}={path!r} is not a factory: it cannot be called.")
    return factory()
