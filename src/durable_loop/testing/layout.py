"""Names in a project under test, for what must import nothing heavy: every run of pytest asks for them."""

from typing import Final

__all__ = ["HISTORIES", "MANIFEST"]

# Where histories are, unless pyproject.toml says it.
HISTORIES: Final = "fixtures/histories"
# The list of stored histories, in their folder.
MANIFEST: Final = "manifest.toml"
