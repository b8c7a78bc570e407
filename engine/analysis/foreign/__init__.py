"""Reads the logs of other tools, finished or still growing."""
