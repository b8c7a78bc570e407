"""From a run's history to charts and lines of text: pure, shared by screen and headless output."""
