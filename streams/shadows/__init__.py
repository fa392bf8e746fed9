"""Candidates beside the live policy: what they would have said, and how that differs.

A candidate reads the signals, scores and history that the live decision read, after
it, and never acts: its words go to `risk.decision.shadow.v1` alone.
"""
