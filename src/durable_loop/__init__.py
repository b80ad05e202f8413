"""A chat agent that can be killed at any moment and never loses, repeats or mixes up a turn."""
