"""A run's directory and its log: events written by the worker and read by everyone else."""
