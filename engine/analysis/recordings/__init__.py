"""Logs and CSV files read as runs, and runs written as CSV."""
