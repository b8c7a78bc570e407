"""The headless core of clr-tui: settings, logs, analysis, tasks and training; no user interface."""
