"""The headless core of clr-tui: runs, analysis, tasks and training. It knows nothing of screens."""
