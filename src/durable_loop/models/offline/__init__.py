"""The offline model: what users get without a key. Rule-based, and a pure function of its request.

From the words up: `words`, `expressions`, `clause` (a piece of a message and its values) ·
`offers`, `quantities`, `strings`, `arguments`, `choosing` (tools, and which one with what) ·
`small_talk`, `memory`, `splitting`, `parts`, `planning` (what a message asks for) ·
`transcript`, `phrasing`, `deciding`, `streaming`, `model` (from request to response).
"""

from durable_loop.models.offline.model import OfflineModel

__all__ = ["OfflineModel"]
