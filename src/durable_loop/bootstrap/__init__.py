"""Puts settings, clients, models and workflows together: the only place that knows all of them.

`client` and `process` import neither agents nor litellm; `orchestrator` imports both worlds.
Workers and the replayer are made from settings by the same functions, so that what replays is what runs.
"""
