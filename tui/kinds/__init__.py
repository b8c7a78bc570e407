"""What the screen and the command line do with each kind of run, one folder a kind."""
