"""Analysis of logs: history, smoothing, suggestion rules, reports. Needs numpy, not torch."""
