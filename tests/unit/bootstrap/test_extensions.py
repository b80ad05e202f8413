"""Extension points: your own model provider and interceptors."""

import pytest

from durable_loop.bootstrap import extensions
from durable_loop.errors import SettingsError
from durable_loop.testing.errors import HarnessError


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no.such.module:x", "names nothing that can be imported"),
        ("durable_loop.names:nothing", "names nothing that can be imported"),
        ("durable_loop.names", "names nothing that can be imported"),
        (".relative:x", "names nothing that can be imported"),
        (":x", "names nothing that can be imported"),
        ("", "names nothing that can be imported"),
        ("durable_loop.names:QUEUE_IT", "is not a factory: it cannot be called"),
        ("durable_loop.settings:load_settings.nothing", "names nothing that can be imported"),
        ("durable_loop.bootstrap.policy:chat_policy", "is not a factory: it cannot be called without arguments"),
    ],
)
def test_an_extension_that_cannot_be_loaded_is_named_with_its_setting(path: str, message: str) -> None:
    """The worker says so and ends, instead of running without it. (ours)"""
    with pytest.raises(SettingsError, match=f"SOME_SETTING='{path}' {message}"):
        extensions.load(path, setting="SOME_SETTING")


def test_an_extension_is_what_its_factory_makes() -> None:
    """Any callable without arguments. (ours)"""
    assert isinstance(extensions.load("durable_loop.testing.errors:HarnessError", setting="X"), HarnessError)


def test_a_factory_that_does_not_tell_its_signature_is_called() -> None:
    """Some callables written in C. (ours)"""
    assert extensions.load("builtins:dict", setting="X") == {}
