"""Figures: measured side by side in one run, printed as tables; nothing here passes or fails."""
