"""How many examples Hypothesis tries."""

from hypothesis import settings

# A third at the desk, all of them in tox (`--hypothesis-profile=thorough`): about as many as it takes to find each of
# the broken chats in `test_state_machine.py`.
settings.register_profile("thorough", max_examples=300)
settings.register_profile("quick", max_examples=100)
settings.load_profile("quick")
