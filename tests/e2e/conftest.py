"""The fixtures of the end-to-end tests."""

from tests.environment import shared_environment

__all__ = ["shared_environment"]
