"""Task files to start from, as `clr-tui new-task` writes them; nothing here imports them."""
