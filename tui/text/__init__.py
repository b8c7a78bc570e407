"""The text of screens and printed results, made by pure functions."""
