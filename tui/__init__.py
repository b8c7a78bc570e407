"""The terminal interface: reads runs' logs and never imports torch."""
