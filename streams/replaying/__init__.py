"""Replay's edges: topics and captures in, a folder of results out; nothing else.

    plan ──▶ said (recorded decisions, indexed on disk) ──▶ partition jobs ──▶ results

Everything of a run lies in its folder, so that it can be interrupted at any moment and
goes on from there. No consumer group is joined and no topic of the job is written.
"""
