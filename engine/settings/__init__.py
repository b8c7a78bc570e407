"""What a run may be asked to do: settings, their limits, and the check of them."""
