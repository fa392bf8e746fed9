"""Deciding again on what was decided before: the core, without I/O.

    recorded signals + history then + recorded decision ──Rejudging──▶ Outcome ──▶ Tally

`streams.replaying` reads the topics and writes the results.
"""
