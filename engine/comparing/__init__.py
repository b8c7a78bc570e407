"""Comparisons: planning and scheduling trials, and the processes that train them."""
