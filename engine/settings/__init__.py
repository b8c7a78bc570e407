"""The settings of runs, their limits, and checks."""
