"""What screens and printed results say: pure functions from results to text."""
