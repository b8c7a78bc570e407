"""Range tests and CLR training: loop, schedules, checkpoints, commands."""
