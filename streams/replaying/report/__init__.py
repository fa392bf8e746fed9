"""A replay's results as one page: what changed, for whom, when, and by which rules."""
