"""What a log means: history, smoothing, suggestion rules, reduction. Needs numpy, not torch."""
