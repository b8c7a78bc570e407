"""What scripts and notebooks call, on top of the engine and of the charts."""
