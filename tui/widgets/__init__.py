"""Widgets, one concept per file."""
