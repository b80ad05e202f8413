"""The fixtures of the tests of the harness."""

from tests.environment import shared_environment

__all__ = ["shared_environment"]
