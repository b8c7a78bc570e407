"""Range test, CLR training and comparison: loop, schedules, checkpoints, orders, processes."""
