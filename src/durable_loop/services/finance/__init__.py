"""Finance: each call is its own workflow, once per key."""
