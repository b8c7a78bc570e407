"""What a learning-rate sweep says: the curve, the rules, the verdict."""
