"""The public extension point: `package.module:factory` in a setting puts your own into the real workers."""

import importlib
import inspect
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
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise SettingsError(f"{setting}={path!r} names nothing that can be imported: {error}.") from error
    if not callable(factory):
        raise SettingsError(f"{setting}={path!r} is not a factory: it cannot be called.")
    if not _needs_nothing(factory):
        raise SettingsError(f"{setting}={path!r} is not a factory: it cannot be called without arguments.")
    return factory()


def _needs_nothing(factory: Callable[..., Any]) -> bool:
    try:
        inspect.signature(factory).bind()
    except TypeError:
        return False
    except ValueError:  # some callables written in C do not tell
        return True
    return True
