"""Analysis of comparisons: curves by entry, statistics, the report and its sentences."""
