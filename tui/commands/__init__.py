"""What the commands of `clr-tui` do without a screen: options, following a run, printing, `ls`."""
