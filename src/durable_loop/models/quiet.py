"""The environment in which the Agents SDK and LiteLLM talk to nobody but the configured provider.

Both read it when they are imported or first used, so it is set before. A variable that the
user has set stays as it is.
"""

from collections.abc import MutableMapping
from typing import Final

__all__ = ["QUIET_ENVIRONMENT", "set_quiet_environment"]

QUIET_ENVIRONMENT: Final[dict[str, str]] = {
    # The Agents SDK: no trace export to OpenAI, whoever's model it is. Read once, at the first trace.
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    # LiteLLM: bundled price map and Anthropic beta headers instead of two downloads, no tokenizer downloads.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_OFFLINE_MODE": "true",
    # LiteLLM: in its default mode, DEV, it loads the first `.env` above its own installation.
    "LITELLM_MODE": "PRODUCTION",
}


def set_quiet_environment(environ: MutableMapping[str, str]) -> None:
    """Set what is not set yet; call it before `agents` and `litellm` are imported."""
    for variable, value in QUIET_ENVIRONMENT.items():
        environ.setdefault(variable, value)
