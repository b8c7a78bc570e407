"""Runs of somebody's own loop, and logs of other tools."""
