"""The `clr-tui` command: its parser, and its commands without a screen."""
