"""A comparison's trials: their plan, the scheduler, and the processes that train them."""
