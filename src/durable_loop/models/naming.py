"""What `LLM_MODEL` means, before anything heavy is imported. Pure functions of a name and an environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from durable_loop.errors import ModelSetupError
from durable_loop.models.catalogue import INTERACTIVE_PROVIDERS, KEY_VARIABLES, OTHER_VARIABLES, PROVIDERS
from durable_loop.names import MODEL_OFFLINE

__all__ = ["ModelChoice", "check_key", "find_key", "key_hint", "resolve_model"]

# Bare names, as the seed writes them, by family.
_FAMILIES: Final = (
    (re.compile(r"(chatgpt-|gpt-|o\d|ft:gpt-|ft:o\d)", re.IGNORECASE), "openai"),
    (re.compile(r"claude-", re.IGNORECASE), "anthropic"),
    (re.compile(r"gemini-", re.IGNORECASE), "gemini"),
)

_HINTS: Final = (("openai", "gpt-4"), ("anthropic", "claude-3-5-sonnet-20241022"), ("gemini", "gemini/gemini-pro"))

_EXAMPLES: Final = (
    "for example `gpt-4`, `claude-3-5-sonnet-20241022`, `gemini/gemini-pro` or `mistral/mistral-large-latest`"
)


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be named to the provider; resolving `name` again gives an equal choice.

    Any one of `key_variables` holds the key (none: no key is needed, or none is checked);
    every one of `other_variables` has to be set too.
    """

    name: str
    provider: str
    key_variables: tuple[str, ...] = ()
    other_variables: tuple[str, ...] = ()

    @property
    def offline(self) -> bool:
        """Whether this is the rule-based model that ships with the project."""
        return self.name == MODEL_OFFLINE


def resolve_model(value: str | None) -> ModelChoice:
    """Find the model that `value` (of `LLM_MODEL`) names; nothing or blank is the offline model.

    Raises:
        ModelSetupError: no provider can be read from the name, or LiteLLM does not know it.
    """
    name = (value or "").strip().removeprefix("litellm/")
    if not name or name == MODEL_OFFLINE:
        return ModelChoice(name=MODEL_OFFLINE, provider=MODEL_OFFLINE)
    prefix, slash, model = name.partition("/")
    if not slash:
        return _choice(_family(name), name)
    provider = prefix.lower()
    if provider not in PROVIDERS:
        raise ModelSetupError(
            f"LLM_MODEL={value!r}: LiteLLM knows no provider `{prefix}`. Write `provider/model`, {_EXAMPLES}."
        )
    if not model:
        raise ModelSetupError(
            f"LLM_MODEL={value!r} names a provider and no model. Write `provider/model`, {_EXAMPLES}."
        )
    if provider in INTERACTIVE_PROVIDERS:
        raise ModelSetupError(
            f"LLM_MODEL={value!r}: `{provider}` asks for a login in a browser, which a worker cannot do. "
            f"Take a provider with a key, {_EXAMPLES}."
        )
    return _choice(provider, model)


def _family(name: str) -> str:
    for pattern, provider in _FAMILIES:
        if pattern.match(name):
            return provider
    raise ModelSetupError(f"LLM_MODEL={name!r} does not say whose model it is. Write `provider/model`, {_EXAMPLES}.")


def _choice(provider: str, model: str) -> ModelChoice:
    return ModelChoice(
        name=f"{provider}/{model}",
        provider=provider,
        key_variables=KEY_VARIABLES.get(provider, ()),
        other_variables=OTHER_VARIABLES.get(provider, ()),
    )


def find_key(choice: ModelChoice, environ: Mapping[str, str]) -> str | None:
    """Return the first variable in `choice.key_variables` that is set and not blank."""
    return next((variable for variable in choice.key_variables if environ.get(variable, "").strip()), None)


def check_key(choice: ModelChoice, environ: Mapping[str, str]) -> None:
    """Pass when everything that the provider needs is set; says nothing about whether the key is good.

    Raises:
        ModelSetupError: names the variables that are missing or blank, never a value.
    """
    missing = [variable for variable in choice.other_variables if not environ.get(variable, "").strip()]
    if choice.key_variables and find_key(choice, environ) is None:
        missing.insert(0, " or ".join(choice.key_variables[:2]))
    if missing:
        raise ModelSetupError(
            f"LLM_MODEL={choice.name} needs {' and '.join(missing)}: set it in the environment or in `.env`, "
            f"or leave LLM_MODEL out to chat with the offline model."
        )


def key_hint(environ: Mapping[str, str]) -> str | None:
    """With no `LLM_MODEL` but a provider's key in sight, one sentence that says how to use it; never the key."""
    if environ.get("LLM_MODEL", "").strip():
        return None
    for provider, example in _HINTS:
        variable = find_key(_choice(provider, ""), environ)
        if variable is not None:
            return f"{variable} is set: LLM_MODEL={example} would use it."
    return None
