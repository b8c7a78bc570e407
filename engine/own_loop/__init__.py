"""Runs of a user's own training loop: `clr_tui.start` and what it returns. Imports no torch."""
