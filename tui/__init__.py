"""The terminal side of clr-tui: everything here reads a run's log, and none of it imports torch."""
