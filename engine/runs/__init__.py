"""A run as files: what was asked, what happened, what people ordered. Needs msgspec, not torch."""
