"""`python -m streams.cli`: the same as `headgate`."""

from streams.cli import main

main()
