"""The comparison of optimizers on the screen and the command line."""
