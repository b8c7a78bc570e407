"""The range test on the screen and the command line."""
