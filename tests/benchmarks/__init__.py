"""What `make bench` measures: ratios within one run, never absolute times."""
