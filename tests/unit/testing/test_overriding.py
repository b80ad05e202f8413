"""A test changes fields of settings by their names, and a name that is none is told."""

from typing import cast

import pytest
from temporalio.client import Client

from durable_loop.settings import Settings
from durable_loop.testing import Script, says
from durable_loop.testing.environment import Agent, Environment
from durable_loop.testing.overriding import with_fields
from durable_loop.testing.own_agent import CHAT

TYPO = r"^Settings has no field max_cached_workflow: did you mean max_cached_workflows\?$"


def test_other_values_are_those_of_a_copy() -> None:
    """What the environment shares stays as it is. (ours)"""
    settings = Settings()

    assert with_fields(settings, max_cached_workflows=0) == settings.model_copy(update={"max_cached_workflows": 0})
    assert settings == Settings()


def test_a_name_that_is_none_is_told_with_the_nearest_one() -> None:
    """Or, where none is near, with all that there are. (ours)"""
    with pytest.raises(TypeError, match=TYPO):
        with_fields(Settings(), max_cached_workflow=0)
    with pytest.raises(TypeError, match=r"^Settings has no field nonsense: it has .*max_cached_workflows, .*\.$"):
        with_fields(Settings(), nonsense=3)


def test_a_chat_takes_fields_of_its_policy_alone() -> None:
    """A typo would leave the chat as it was, and its test with nothing to show. (ours)"""
    agent = Agent(cast("Client", None), Settings())

    with pytest.raises(TypeError, match=r"^ChatPolicy has no field approvals: did you mean approval\?$"):
        agent.chat(approvals=())
    assert agent.chats == []


async def test_agents_take_settings_alone() -> None:
    """It is told before anything starts. (ours)"""
    env = Environment.__new__(Environment)
    env.settings = Settings()

    with pytest.raises(TypeError, match=TYPO):
        async with env.running(CHAT, Script(says("Hi")), max_cached_workflow=0):
            raise NotImplementedError
    with pytest.raises(TypeError, match=TYPO):
        async with env.agent(Script(says("Hi")), max_cached_workflow=0):
            raise NotImplementedError
