"""CLR training on the screen and the command line."""
