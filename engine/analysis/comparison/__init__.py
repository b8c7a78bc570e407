"""What a comparison says: curves by entry, statistics, the report and its sentences."""
