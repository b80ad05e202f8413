"""IT: one long-running workflow per session; signals change it, queries read it."""
