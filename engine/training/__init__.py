"""Range test and CLR training: the loop, schedules, checkpoints, and how orders are obeyed."""
