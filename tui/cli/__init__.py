"""The `clr-tui` command: its parser, and what each command does without a screen."""
